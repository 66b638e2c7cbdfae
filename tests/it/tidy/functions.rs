//! Finds functions, and counts their lines and parameters.

use std::fmt;

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Block, FnArg, Signature};

/// A function or method with a name, anywhere in a source. Closures and functions that a macro makes do not count.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: String,
    /// The line of its `fn`.
    pub(crate) line: usize,
    /// How many lines it has, from its `fn` to its closing brace.
    pub(crate) lines: usize,
    /// How many parameters it has, without `self`.
    pub(crate) parameters: usize,
}

impl Function {
    pub(crate) fn is_too_large(&self) -> bool {
        self.parameters > super::MOST_PARAMETERS || self.lines > super::MOST_LINES_OF_A_FUNCTION
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, line, lines, parameters } = self;
        write!(f, "{line}: {name} has {lines} lines and {parameters} parameters")
    }
}

/// All functions of a source.
pub(crate) fn of_text(text: &str) -> Vec<Function> {
    let file = syn::parse_file(text).unwrap_or_else(|error| panic!("no Rust: {error}\n{text}"));
    let mut reader = Reader::default();
    reader.visit_file(&file);
    reader.0
}

#[derive(Default)]
struct Reader(Vec<Function>);

impl Reader {
    fn function(&mut self, signature: &Signature, body: Option<&Block>) {
        let line = signature.span().start().line;
        let end = body.map_or(signature.span(), Spanned::span).end().line;
        let parameters = signature.inputs.iter().filter(|input| matches!(input, FnArg::Typed(_))).count();
        let name = signature.ident.to_string();
        self.0.push(Function { name, line, lines: end + 1 - line, parameters });
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig, Some(&item.block));
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.sig, Some(&item.block));
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        self.function(&item.sig, item.default.as_ref());
        visit::visit_trait_item_fn(self, item);
    }
}
