//! What an object store says, cut to what a user can act on.

/// What to do where a store wants credentials and has none.
pub const CREDENTIALS_HINT: &str = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or \
                                           AWS_SKIP_SIGNATURE=true for a public bucket";

/// The address that cloud machines ask for credentials when none are given.
const METADATA_SERVICE: &str = "169.254.169.254";

/// Says whether a request failed for want of credentials.
pub fn lacks_credentials(error: &object_store::Error) -> bool {
    matches!(error, object_store::Error::Unauthenticated { .. })
        || error.to_string().contains(METADATA_SERVICE)
}

/// Takes what matters out of what a store said: its message, not the page around it.
pub fn store_said(error: &object_store::Error) -> String {
    if lacks_credentials(error) {
        return "there are no credentials for it".to_owned();
    }
    let text = error.to_string();
    let element = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        rest.split_once(&format!("</{name}>"))
            .map(|(content, _)| content)
    };
    match (element("Message"), element("Code")) {
        (Some(message), Some(code)) => format!("{} ({code})", message.trim_end_matches('.')),
        _ => text,
    }
}
