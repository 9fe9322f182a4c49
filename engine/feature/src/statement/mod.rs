//! The statements of features.

pub mod create_encoder;
pub mod encoders;
pub mod feature_view;
pub mod leakage;
pub mod profile;
pub mod transform;
