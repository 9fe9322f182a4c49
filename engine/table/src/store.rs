//! Object stores: makes the one a location needs and registers it with the runtime.
//!
//! Options come from the table and from the caller's environment map; the process environment is
//! never read. One bucket has one set of options for as long as the session lives.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

use datafusion::error::DataFusionError;
use object_store::ObjectStore;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::http::HttpBuilder;

use super::TableContext;
use super::error::TableError;
use super::location::Location;

/// Returns the store of a location, registered with the runtime environment under its URL.
pub fn connect(
    location: &Location,
    options: &BTreeMap<String, String>,
    context: &TableContext<'_>,
) -> Result<Arc<dyn ObjectStore>, TableError> {
    let runtime = context.state.runtime_env();
    let key = location.store.as_str();
    match location.store.scheme() {
        "s3" => {
            let settings = s3_settings(options, context.environment)?;
            if context
                .cache
                .claim_store(key, &settings, !options.is_empty())?
            {
                let store = s3_store(location, &settings)?;
                runtime.register_object_store(&location.store, store);
            }
        }
        "http" | "https" if context.cache.claim_store(key, &BTreeMap::new(), false)? => {
            let store = HttpBuilder::new()
                .with_url(key)
                .build()
                .map_err(|error| TableError::store(key, error))?;
            runtime.register_object_store(&location.store, Arc::new(store));
        }
        _ => {}
    }
    runtime
        .object_store(location.object_store_url()?)
        .map_err(|error| match error {
            // What the session refuses is said in its own words.
            refusal @ DataFusionError::External(_) => TableError::query(refusal),
            error => TableError::Location {
                location: location.display.clone(),
                reason: error.strip_backtrace(),
            },
        })
}

fn s3_store(
    location: &Location,
    settings: &BTreeMap<String, String>,
) -> Result<Arc<dyn ObjectStore>, TableError> {
    let bucket = location.store.host_str().unwrap_or_default();
    let mut builder = AmazonS3Builder::new().with_bucket_name(bucket);
    for (name, value) in settings {
        let key = AmazonS3ConfigKey::from_str(name)
            .map_err(|error| TableError::store(location.store.as_str(), error))?;
        builder = builder.with_config(key, value);
    }
    let store = builder
        .build()
        .map_err(|error| TableError::store(location.store.as_str(), error))?;
    Ok(Arc::new(store))
}

/// Collects what configures S3: the table's options win over the environment's `AWS_…` values.
fn s3_settings(
    options: &BTreeMap<String, String>,
    environment: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, TableError> {
    let mut settings = BTreeMap::new();
    let from_environment = environment
        .iter()
        .filter(|(name, _)| name.starts_with("AWS_"))
        .map(|(name, value)| (name.to_lowercase(), value.clone()))
        .filter(|(name, _)| AmazonS3ConfigKey::from_str(name).is_ok());
    for (name, value) in from_environment.chain(options.clone()) {
        let (name, value) = match name.as_str() {
            "path_style" => {
                let path_style =
                    super::options::parse_boolean(&value).ok_or(TableError::OptionValue {
                        target: "s3".into(),
                        option: name,
                        value,
                        expected: "`true` or `false`".into(),
                    })?;
                let virtual_hosted = (!path_style).to_string();
                ("aws_virtual_hosted_style_request".into(), virtual_hosted)
            }
            _ => (canonical(&name), value.trim_end_matches('/').to_string()),
        };
        settings.insert(name, value);
    }
    let plain_http = settings
        .get("aws_endpoint")
        .is_some_and(|endpoint| endpoint.starts_with("http://"));
    if plain_http {
        settings.entry("allow_http".into()).or_insert("true".into());
    }
    Ok(settings)
}

/// Gives every spelling of a key one name, so that later values replace earlier ones.
fn canonical(name: &str) -> String {
    match name {
        "aws_endpoint_url" | "endpoint_url" | "endpoint" | "aws_endpoint_url_s3" => {
            "aws_endpoint".into()
        }
        "aws_allow_http" => "allow_http".into(),
        "aws_default_region" | "default_region" => "aws_region".into(),
        name => match AmazonS3ConfigKey::from_str(name) {
            Ok(key) => key.as_ref().to_string(),
            Err(_) => name.to_string(),
        },
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::Bench;

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect()
    }

    #[test]
    fn table_options_win_over_the_environment() {
        let environment = map(&[
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ENDPOINT_URL", "http://localhost:9000/"),
            ("HOME", "/root"),
            ("AWS_PROFILE", "ignored"),
        ]);
        let options = map(&[("region", "us-east-1"), ("path_style", "true")]);
        let settings = s3_settings(&options, &environment).unwrap();
        assert_eq!(
            settings,
            map(&[
                ("allow_http", "true"),
                ("aws_endpoint", "http://localhost:9000"),
                ("aws_region", "us-east-1"),
                ("aws_virtual_hosted_style_request", "false"),
            ])
        );
    }

    #[tokio::test]
    async fn one_bucket_has_one_set_of_options() {
        let bench = Bench::new();
        let location = Location::parse("s3://b/x", &bench.context()).unwrap();
        let keys = |region, key| {
            map(&[
                ("region", region),
                ("access_key_id", key),
                ("secret_access_key", key),
            ])
        };
        let first = keys("a", "secret-one");
        connect(&location, &first, &bench.context()).unwrap();
        connect(&location, &first, &bench.context()).unwrap();
        let other = keys("b", "secret-two");
        let error = connect(&location, &other, &bench.context()).unwrap_err();
        let message = error.to_string();
        assert!(message.contains("other options"), "{message}");
        assert!(!message.contains("secret"), "{message}");
    }
}
