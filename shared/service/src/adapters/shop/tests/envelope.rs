//! go-zero's envelope: what a 2xx says about itself.

use super::*;

/// What go-zero's documented error handlers respond, whichever route was called, and the same of
/// other shops.
const ERRORS: [(&str, &str); 8] = [
    (r#"{"code":13,"msg":"canary"}"#, "13"),
    (r#"{"code":1001,"msg":"canary","data":null}"#, "1001"),
    (r#"{"code":-1,"message":"canary"}"#, "-1"),
    (r#"{"code":100,"msg":"rpc error: code = Code(100) desc = canary"}"#, "100"),
    (r#"{"code":500,"data":{"id":1}}"#, "500"),
    (r#"{"code":201,"data":{}}"#, "201"),
    (
        r#" {"id":7,"uid":1,"amount":100,"status":0,"code":18446744073709551615}"#,
        "18446744073709551615",
    ),
    (r#"{"code":13.5}"#, "13.5"),
];

#[tokio::test]
async fn a_2xx_that_is_an_error_in_an_envelope_is_unavailable_on_all_routes() {
    for (body, code) in ERRORS {
        let server = Server::start(vec![respond(200, body); 3]);
        let orders = orders(&server);
        let why = format!("the response is an error with code {code}");
        assert_eq!(cause(exists(&users(&server)).await), why, "{body}");
        assert_eq!(cause(find(&orders).await), why, "{body}");
        assert_eq!(cause(notify(&orders).await), why, "{body}");
        assert_eq!(server.requests().len(), 3, "{body}");
    }
    let server = Server::start([respond(202, r#"{"code":13}"#)]);
    cause(notify(&orders(&server)).await);
}

#[tokio::test]
async fn the_content_of_an_envelope_is_its_data() {
    for code in [0, 200] {
        let wrapped =
            |data: &str| respond(200, &format!(r#"{{"code":{code},"msg":"","data":{data}}}"#));
        let server = Server::start([wrapped(USER), wrapped(ORDER), wrapped("{}")]);
        assert!(exists(&users(&server)).await.unwrap());
        let orders = orders(&server);
        let order = find(&orders).await.unwrap().unwrap();
        assert_eq!((order.uid.get(), order.amount_minor, order.paid), (1, 100, false));
        notify(&orders).await.unwrap();
        // Without `data` the members stand beside the code, as they do where `data` is null.
        for beside in ["", r#""data":null,"#] {
            let user = format!(r#"{{"code":{code},{beside}"id":1}}"#);
            let server = Server::start([respond(200, &user)]);
            assert!(exists(&users(&server)).await.unwrap(), "{user}");
        }
        // `data` decides, not what stands beside it.
        for data in [
            r#"{"id":2}"#,
            "{}",
            "[]",
            "7",
            "-1",
            r#""{\"id\":1}""#,
            r#"{"code":0,"data":{"id":1}}"#,
        ] {
            let body = format!(r#"{{"code":{code},"id":1,"data":{data}}}"#);
            let server = Server::start([respond(200, &body)]);
            let why = "the response cannot be read, or has another id";
            assert_eq!(cause(exists(&users(&server)).await), why, "{body}");
        }
    }
}

#[tokio::test]
async fn without_a_number_as_code_there_is_no_envelope() {
    for user in [
        r#"{"code":null,"id":1}"#,
        r#"{"code":"13","id":1}"#,
        r#"{"CODE":13,"id":1}"#,
        r#"{"id":1,"data":{"id":2,"code":13}}"#,
    ] {
        let server = Server::start([respond(200, user)]);
        assert!(exists(&users(&server)).await.unwrap(), "{user}");
    }
    let server = Server::start([respond(200, r#"{"data":{"id":1}}"#)]);
    cause(exists(&users(&server)).await);
}

/// The part that nobody can read may be an error.
#[tokio::test]
async fn an_order_notification_whose_2xx_cannot_be_read_is_sent_again() {
    let unreadable = "the response cannot be read, or has another id";
    for body in [
        r#"{"code":13,"msg":"\ud800"}"#,
        r#"{"code":0,"code":13}"#,
        "\u{feff}{\"code\":13}",
        r#" {"code":13"#,
        r#"{"code":1e999}"#,
    ] {
        let server = Server::start([respond(200, body)]);
        assert_eq!(cause(notify(&orders(&server)).await), unreadable, "{body}");
    }
    let head = "HTTP/1.1 200 x\r\ncontent-length: 9\r\n\r\n{\"c".to_owned();
    let server = Server::start([Act::Cut(head.clone()), respond(200, "")]);
    notify(&orders(&server)).await.unwrap();
    assert_eq!(server.requests().len(), 2);

    let endless = head.replace(": 9", ": 99999");
    let server = Server::start([respond(405, ""), Act::Drip(endless)]);
    let mut orders = orders(&server);
    orders.warm().await;
    orders.client = orders.client.with_deadline(IMPATIENT);
    assert_eq!(cause(notify(&orders).await), "no response in time");
}
