//! Puts what was measured between two marks of a document.

/// The document lacks the marks. Nothing was changed.
#[derive(Debug, PartialEq, Eq)]
pub struct Unmarked;

pub(crate) const BEGIN: &str = "<!-- begin: written by `cargo bench --bench merge -- --write-readme` -->";
pub(crate) const END: &str = "<!-- end -->";

/// `document` with `text` in the place of all between its marks.
///
/// # Errors
///
/// [`Unmarked`] if it has not both marks, in this order.
pub fn between_markers(document: &str, text: &str) -> Result<String, Unmarked> {
    let (before, rest) = document.split_once(BEGIN).ok_or(Unmarked)?;
    let (_, after) = rest.split_once(END).ok_or(Unmarked)?;
    Ok(format!("{before}{BEGIN}\n\n{}\n\n{END}{after}", text.trim()))
}
