//! Credentials stay in their process.

use datafusion::physical_plan::displayable;
use pagestream_datafusion::{Connectors, Environment, unread};

use crate::support::{Rows, Service, context, plan, shown};

const SECRET: &str = "planted-secret-4242";

fn environment() -> Environment {
    Environment::new().with_secret("ROWS_TOKEN", SECRET)
}

#[tokio::test]
async fn a_plan_shows_and_holds_no_secret() {
    let service = Service::new(50, 10);
    let table = Rows::of(&service).secret("ROWS_TOKEN").table().parts(2).environment(environment());
    let context = context([("rows", table.clone())]);
    let mut texts = vec![
        format!("{table:?}"),
        format!("{:?}", table.failures()),
        format!("{:?}", environment()),
        format!("{:?}", Connectors::new(environment()).with::<Rows>()),
    ];
    for explain in ["EXPLAIN", "EXPLAIN VERBOSE", "EXPLAIN ANALYZE VERBOSE", "EXPLAIN FORMAT TREE"]
    {
        texts.push(shown(&context, &format!("{explain} SELECT * FROM rows WHERE id > 7")).await);
    }
    let plan = plan(&context, "SELECT id FROM rows").await;
    texts.push(format!("{plan:?} {}", displayable(&*plan).indent(true)));
    texts.push(serde_json::to_string(&unread(&plan).unwrap()).unwrap());
    assert!(service.asked().iter().any(|asked| asked.secret == SECRET), "nobody used it");
    for text in texts {
        assert!(!text.contains(SECRET), "{text}");
    }
}

#[tokio::test]
async fn a_secret_that_is_missing_is_an_error_that_names_it() {
    let service = Service::new(50, 10);
    let none = Environment::new().with_secrets(|_| None);
    let table = Rows::of(&service).secret("ROWS_TOKEN").table().environment(none);
    let context = context([("rows", table)]);
    let error = context.table("rows").await.unwrap().collect().await.unwrap_err();
    assert!(error.to_string().contains("no secret \"ROWS_TOKEN\""), "{error}");
}
