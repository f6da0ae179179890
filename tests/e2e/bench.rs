//! The bench measures what it reports, on the functions as they are built for tests. No time is asserted.

use std::collections::BTreeMap;

use bench::plan::{Latency, Service};
use local::bench::{Operation, Options, Part, Progress, run};

fn options(parts: &[Part], only: &[&str]) -> Options {
    let only: Vec<String> = only.iter().map(|name| (*name).to_owned()).collect();
    Options {
        parts: parts.to_vec(),
        runs: 1,
        calls: 3,
        long_calls: 20,
        latency: Latency { store_ms: 1, shop_ms: 1 },
        operations: Operation::named(&only).unwrap(),
        release: false,
    }
}

/// Groups of calls, each sorted, so that the order within a group does not matter.
fn sorted<H: AsRef<[Service]>>(hops: &[H]) -> Vec<Vec<Service>> {
    let sorted = hops.iter().map(|hop| {
        let mut hop = hop.as_ref().to_vec();
        hop.sort_unstable();
        hop
    });
    sorted.collect()
}

#[tokio::test]
async fn every_operation_makes_the_calls_of_the_design_concurrently_where_it_says_so() {
    let ours = ["create", "detail", "callback", "callback-stripe", "detail-by-order", "list"];
    let options = options(&[Part::Hops], &ours);
    let report = run(&options, &mut Progress::default()).await.unwrap();
    let design: BTreeMap<_, _> =
        options.operations.iter().map(|one| (one.name, sorted(one.hops))).collect();
    let rows = report.hops.unwrap();
    let seen: BTreeMap<_, _> =
        rows.iter().map(|row| (row.name.as_str(), sorted(&row.hops))).collect();
    assert_eq!(seen, design);
    assert_eq!(report.targets.len(), ours.len());
}

#[tokio::test]
async fn calls_are_measured_beside_a_bare_function_and_an_instance_keeps_working() {
    let parts = [Part::Calls, Part::Long];
    let report =
        run(&options(&parts, &["bare", "detail"]), &mut Progress::default()).await.unwrap();
    let [bare, detail] = report.cold.as_deref().unwrap() else { panic!("{report:?}") };
    assert_eq!([bare.name.as_str(), detail.name.as_str()], ["bare", "detail"]);
    assert!(bare.client.is_none() && detail.client.is_some());
    for row in [bare, detail] {
        assert_eq!(row.each.len(), 1);
        let figures = [row.zip_bytes, row.start_cpu_ns, row.first_ns, row.warm_cpu_ns];
        assert!(figures.iter().all(|figure| *figure > 0), "{row:?}");
    }
    let long = report.long.unwrap();
    let calls: Vec<u64> = long.lives[0].looks.iter().map(|look| look.calls).collect();
    assert_eq!(calls, [1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21]);
    assert_eq!(long.freezes[0].after.len(), long.freezes[0].connections.len());
    // The peer of every connection was gone.
    assert!(long.freezes[0].connections.iter().all(|opened| *opened > 0), "{long:?}");
    let places: Vec<&str> = report.targets.iter().map(|target| target.figure).collect();
    assert_eq!(places.len(), 7, "{places:?}");
}

#[test]
fn the_page_has_a_place_for_every_table() {
    let page = local::binaries::workspace().join(local::bench::PAGE);
    let page = std::fs::read_to_string(page).unwrap();
    let places =
        ["machine", "calls", "hops", "throttled", "long", "sizes", "advice", "receipt", "targets"];
    for place in places {
        assert_eq!(page.matches(&format!("<!-- bench: {place} -->\n")).count(), 1, "{place}");
    }
    assert_eq!(page.matches("<!-- end -->").count(), places.len());
}
