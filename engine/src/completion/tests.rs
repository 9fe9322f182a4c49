//! What is offered at the cursor.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use futures::StreamExt;
use lakesh_event::event::Event;
use lakesh_session::{Session, SessionOptions};
use lakesh_text::input;
use lakesh_text::input::SplitOptions;
use lakesh_text::source::Source;
use tokio::runtime::Runtime;

use super::complete;

fn session(runtime: &Runtime, folder: &std::path::Path) -> Arc<Session> {
    let _guard = runtime.enter();
    let session = crate::open(SessionOptions::in_folder(folder)).unwrap();
    let script = "create view trips as select 1 as distance, 2 as \"VendorID\";
         create view tolls as select 3 as amount;
         create schema lake;
         create view lake.zones as select 1 as borough;";
    for cell in input::cells(&Source::new("test", script), SplitOptions::default()) {
        let mut events = session.run(cell.unwrap());
        runtime.block_on(async {
            while let Some(event) = events.next().await {
                assert!(!matches!(event, Event::Failed(_)), "{event:?}");
            }
        });
    }
    session
}

#[test]
fn names_that_fit_are_offered() {
    let runtime = Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("data.csv"), "a\n1\n").unwrap();
    let session = session(&runtime, folder.path());
    let cases: [(&str, &[&str]); 19] = [
        ("select dista| from trips", &["distance"]),
        ("select t.| from trips as t", &["distance", "\"VendorID\""]),
        ("select t.v| from trips as t", &["\"VendorID\""]),
        ("select * from tr|", &["trips"]),
        ("select * from la|", &["lake."]),
        ("select * from lake.|", &["zones"]),
        ("select \"Ven| from trips", &["\"VendorID\""]),
        ("select \"Ven| from \"trips\"", &["\"VendorID\""]),
        ("select t.\"v| from trips as t", &["\"VendorID\""]),
        ("selec|", &["select"]),
        ("\\d lake.z|", &["zones"]),
        ("\\mode js|", &["json"]),
        ("set lakesh.mem|", &["lakesh.memory_limit"]),
        ("select * from 'da|", &["data.csv'"]),
        ("vacuum tri|", &["trips"]),
        ("vacuum table tri|", &["trips"]),
        ("describe history tri|", &["trips"]),
        ("compress tri|", &["trips"]),
        ("drift trips against tol|", &["tolls"]),
    ];
    for (marked, expected) in cases {
        let cursor = marked.find('|').unwrap();
        let text = marked.replace('|', "");
        let found = runtime.block_on(complete(&session, &text, cursor));
        let found = found.candidates.iter();
        let found: Vec<_> = found.map(|each| each.replacement.as_str()).collect();
        for name in expected {
            assert!(found.contains(name), "{marked}: {found:?}");
        }
        assert!(found.len() <= expected.len() + 4, "{marked}: {found:?}");
    }
}
