//! `lakesh trust`: the user vouches for a catalog that came from elsewhere.
//!
//! What an untrusted catalog may not do is up to the session; here it is only written down that this one is
//! trusted, among what is the user's on this machine and not in the catalog.

use std::path::Path;

use lakesh_engine::catalog::{Access, Catalog, Trust, locate};
use lakesh_engine::failure::{Failure, FailureKind};

use crate::start::{self, Streams};
use crate::status::Status;

/// Trusts the catalog in a folder, or the nearest one.
pub(crate) fn trust(folder: Option<&Path>, streams: Streams) -> Result<Status, (Failure, Status)> {
    let trusted = trusted(folder).map_err(|failure| {
        let status = match failure.kind {
            FailureKind::Usage => Status::WrongUsage,
            kind => Status::of_failure(kind),
        };
        (failure, status)
    })?;
    start::messages(streams).say(&format!("catalog `{trusted}` is trusted"));
    Ok(Status::Success)
}

/// Writes down that a catalog is trusted, and returns where it lies.
fn trusted(folder: Option<&Path>) -> Result<String, Failure> {
    let working_directory = start::working_directory()?;
    let location = locate(&working_directory, folder, &start::user_data_folder());
    let Some(folder) = location.folder() else {
        let message = "a catalog in memory needs no trust: it is made by whoever uses it";
        return Err(Failure::new(FailureKind::Usage, message));
    };
    let shown = folder.display().to_string();
    // Trusting changes nothing in the catalog, so that one which cannot be written can be trusted.
    let catalog = Catalog::new(location, Access::ReadOnly);
    catalog.trust_catalog()?;
    match catalog.trust()? {
        Trust::Own => Ok(shown),
        Trust::Foreign(reason) => {
            let message = format!("catalog `{shown}` is still not trusted: {reason}");
            let hint = "whoever can change it can let their code run as you: take that permission away first";
            Err(Failure::new(FailureKind::Denied, message).hint(hint))
        }
    }
}
