//! The statements of features.

pub(crate) mod create_encoder;
pub(crate) mod encoders;
pub(crate) mod feature_view;
pub(crate) mod leakage;
pub(crate) mod profile;
pub(crate) mod transform;
