//! The Jupyter front end: a kernel over the same session as the terminal. Deliberately empty for now.
