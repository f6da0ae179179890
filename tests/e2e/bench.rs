//! The bench measures what it says, on functions that are built for tests. No time is asserted.

use local::binaries;
use serde_json::{Value, json};
use tokio::process::Command;

/// What the bench measures of these functions: it takes those that lie beside it.
async fn measured(functions: &[&str], arguments: &str) -> Value {
    binaries::functions(functions, false).await.unwrap();
    let bench = binaries::functions(&["bench"], false).await.unwrap().remove("bench").unwrap();
    let arguments = ["--json", "--runs=1"].into_iter().chain(arguments.split(' '));
    let output = Command::new(bench).args(arguments).output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn each<'a>(list: &'a Value, member: &str) -> Vec<&'a Value> {
    list.as_array().unwrap().iter().map(|one| &one[member]).collect()
}

fn values(report: &Value) -> usize {
    each(&report["targets"], "values").iter().map(|values| values.as_object().unwrap().len()).sum()
}

#[tokio::test]
async fn every_operation_makes_the_calls_of_the_design_side_by_side_where_it_says_so() {
    let functions = ["create", "detail", "callback"];
    let ours = "create,detail,callback,callback-stripe,detail-by-order,list";
    let arguments = format!("--part=hops --store-ms=1 --shop-ms=1 --only={ours}");
    let report = measured(&functions, &arguments).await;
    assert_eq!(each(&report["hops"], "name"), ours.split(',').collect::<Vec<_>>());
    assert_eq!(each(&report["hops"], "hops"), each(&report["hops"], "design"));
    assert_eq!(values(&report), 6);
}

#[tokio::test]
async fn calls_are_measured_beside_the_floor_and_an_instance_stays_what_it_is() {
    let arguments = "--part=calls,long --calls=3 --long-calls=20 --only=bare,detail";
    let report = measured(&["bare", "detail"], arguments).await;
    let cold = &report["cold"];
    assert_eq!(each(cold, "name"), ["bare", "detail"]);
    assert_eq!(each(cold, "hops"), ["", "store"]);
    assert!(cold[0]["replay_p50_ns"] == 0 && cold[1]["replay_p50_ns"] != 0, "{cold}");
    for figure in ["zip_bytes", "start_cpu_ns", "first_ns", "warm_cpu_ns", "peak_rss_kib"] {
        assert!(
            each(cold, figure).iter().all(|figure| figure.as_u64() > Some(0)),
            "{figure}: {cold}"
        );
    }
    assert!(each(cold, "each").iter().all(|starts| starts.as_array().unwrap().len() == 1));
    let long = &report["long"][0];
    assert_eq!(each(&long["looks"], "calls"), [1, 3, 21].map(|calls| json!(calls)).each_ref());
    // The peer of every connection was gone.
    let freezes = long["freezes"].as_array().unwrap();
    assert!(freezes.len() == 10 && freezes.iter().all(|freeze| freeze[2] != 0), "{long}");
    assert_eq!(values(&report), 7);
    let machine = report["machine"].as_str().unwrap();
    for known in ["rustc 1.", "commit ", "lambda_runtime 1.", "aws-sdk-dynamodb 1.", "tokio 1."] {
        assert!(machine.contains(known), "{machine}");
    }
}

#[tokio::test]
async fn a_command_line_that_means_nothing_is_rejected() {
    let bench = binaries::functions(&["bench"], false).await.unwrap().remove("bench").unwrap();
    for odd in ["--only=nobody", "--runs=0", "--part=all", "--all --part=long", "--store-ms=x"] {
        let output = Command::new(&bench).args(odd.split(' ')).output().await.unwrap();
        assert_eq!(output.status.code(), Some(2), "{odd}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.starts_with("error: ") && output.stdout.is_empty(), "{said}");
    }
}

#[test]
fn the_page_has_a_place_for_every_table() {
    let page = binaries::workspace().unwrap().join("docs/performance.md");
    let page = std::fs::read_to_string(page).unwrap();
    let places =
        ["machine", "calls", "hops", "throttled", "long", "sizes", "advice", "receipt", "targets"];
    for place in places {
        assert_eq!(page.matches(&format!("<!-- bench: {place} -->\n")).count(), 1, "{place}");
    }
    assert_eq!(page.matches("<!-- end -->").count(), places.len());
}
