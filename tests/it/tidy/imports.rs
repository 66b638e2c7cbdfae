//! Finds the paths of other crates that a source names. It reads the syntax tree, so a path in a string or a comment does
//! not count. A path in braces, behind an alias or in a macro does.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItem, Item, Meta, Token, TraitItem, UseTree};

/// A path of two names or more, or an import, with aliases resolved: `std::time::Instant`. The keywords of asynchronous
/// code count as the path `async`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) path: String,
    pub(crate) line: usize,
    pub(crate) when: When,
}

/// The `cfg` under which something is compiled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct When {
    pub(crate) test: bool,
    pub(crate) features: BTreeSet<String>,
}

/// A module in a file of its own, as the file that declares it says.
#[derive(Debug)]
struct Child {
    /// The names of the modules in braces around it, and its own.
    names: Vec<String>,
    /// The text of its attribute `path`.
    path: Option<String>,
    when: When,
}

/// All paths that the crate with that root file names, file by file. It finds the modules as the compiler does.
pub(crate) fn of_crate(root: &Path) -> Vec<(PathBuf, Vec<Named>)> {
    let mut files = Vec::new();
    let mut open = vec![(root.to_owned(), When::default())];
    while let Some((file, when)) = open.pop() {
        let text =
            std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let (named, children) = read(&text, when);
        open.extend(children.into_iter().map(|child| (place(&file, &child), child.when)));
        files.push((file, named));
    }
    files
}

/// All paths that a single file names.
pub(crate) fn of_text(text: &str) -> Vec<Named> {
    read(text, When::default()).0
}

/// The files in which the compiler looks for a module that this file declares.
fn place(file: &Path, child: &Child) -> PathBuf {
    let folder = file.parent().unwrap();
    if let Some(path) = &child.path {
        return folder.join(path);
    }
    let stem = file.file_stem().unwrap();
    let folder = if ["lib", "main", "mod"].iter().any(|root| stem == *root) {
        folder.into()
    } else {
        folder.join(stem)
    };
    let place = child.names.iter().fold(folder, |folder, name| folder.join(name));
    let flat = place.with_extension("rs");
    if flat.exists() { flat } else { place.join("mod.rs") }
}

fn read(text: &str, when: When) -> (Vec<Named>, Vec<Child>) {
    let file = syn::parse_file(text).unwrap_or_else(|error| panic!("no Rust: {error}\n{text}"));
    let mut reader = Reader { when, ..Reader::default() };
    reader.under(&file.attrs, |reader| visit::visit_file(reader, &file));
    let Reader { mut named, children, aliases, modules, .. } = reader;
    for named in &mut named {
        named.path = resolved(&named.path, &aliases);
    }
    // A path that begins with a module of this file is in this crate, even if a crate has the same name.
    named.retain(|named| !modules.contains(named.path.split("::").next().unwrap_or_default()));
    for named in &mut named {
        named.path = named.path.trim_start_matches("::").to_owned();
    }
    (named, children)
}

/// The path with its first name replaced by what the file imports under it.
fn resolved(path: &str, aliases: &BTreeMap<String, String>) -> String {
    let mut path = path.to_owned();
    // An alias may stand for another one; a circle of them is no program.
    for _ in 0..8 {
        let (first, rest) = path.split_once("::").unwrap_or((&path, ""));
        match aliases.get(first) {
            Some(meant) if meant.split("::").next() != Some(first) => {
                path = if rest.is_empty() { meant.clone() } else { format!("{meant}::{rest}") };
            }
            _ => break,
        }
    }
    path
}

#[derive(Default)]
struct Reader {
    named: Vec<Named>,
    children: Vec<Child>,
    /// The file's imports, by their names in the file.
    aliases: BTreeMap<String, String>,
    /// The modules that it declares.
    modules: BTreeSet<String>,
    when: When,
    /// The modules in braces around the present item.
    inside: Vec<String>,
}

impl Reader {
    fn name(&mut self, path: String, span: Span) {
        self.named.push(Named { path, line: span.start().line, when: self.when.clone() });
    }

    /// Reads something that is compiled only under the `cfg`s among its attributes.
    fn under(&mut self, attributes: &[Attribute], read: impl FnOnce(&mut Self)) {
        let before = self.when.clone();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")) {
            if let Ok(condition) = attribute.parse_args() {
                require(&condition, &mut self.when);
            }
        }
        read(self);
        self.when = before;
    }

    fn import(&mut self, tree: &UseTree, before: &str) {
        let join = |name: String| if before.is_empty() { name } else { format!("{before}::{name}") };
        match tree {
            UseTree::Path(path) => self.import(&path.tree, &join(path.ident.to_string())),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.import(tree, before)),
            UseTree::Glob(glob) => self.name(join("*".into()), glob.span()),
            UseTree::Name(name) if name.ident == "self" => {
                let last = before.rsplit("::").next().unwrap_or_default().to_owned();
                self.imported(last, before.to_owned(), name.span());
            }
            UseTree::Name(name) => {
                self.imported(name.ident.to_string(), join(name.ident.to_string()), name.span());
            }
            UseTree::Rename(rename) => {
                let path =
                    if rename.ident == "self" { before.to_owned() } else { join(rename.ident.to_string()) };
                self.imported(rename.rename.to_string(), path, rename.span());
            }
        }
    }

    fn imported(&mut self, alias: String, path: String, span: Span) {
        self.aliases.insert(alias, path.clone());
        self.name(path, span);
    }

    /// Reads the paths in the tokens of a macro, which are no syntax tree.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Ident(name) => {
                    if matches!(&*name.to_string(), "async" | "await") {
                        self.name("async".into(), name.span());
                    }
                    if colons != 2 {
                        path.clear();
                    }
                    path.push(name.to_string());
                    if path.len() > 1 {
                        self.name(path.join("::"), name.span());
                    }
                    colons = 0;
                }
                TokenTree::Group(group) => {
                    if colons == 2 && !path.is_empty() {
                        self.name(path.join("::"), group.span());
                    }
                    self.tokens(group.stream());
                    path.clear();
                    colons = 0;
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {
                    path.clear();
                    colons = 0;
                }
            }
        }
    }
}

/// Adds what must hold for this `cfg` to hold. What may hold (`any`) or must not (`not`) adds nothing.
fn require(condition: &Meta, when: &mut When) {
    match condition {
        Meta::Path(path) => when.test |= path.is_ident("test"),
        Meta::NameValue(pair) if pair.path.is_ident("feature") => {
            if let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(feature), .. }) = &pair.value {
                when.features.insert(feature.value());
            }
        }
        Meta::List(list) if list.path.is_ident("all") => {
            let all = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
            all.iter().flatten().for_each(|condition| require(condition, when));
        }
        Meta::NameValue(_) | Meta::List(_) => {}
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast Item) {
        self.under(attributes(item), |reader| visit::visit_item(reader, item));
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        let attributes = match item {
            ImplItem::Const(item) => &item.attrs,
            ImplItem::Fn(item) => &item.attrs,
            ImplItem::Type(item) => &item.attrs,
            ImplItem::Macro(item) => &item.attrs,
            _ => &Vec::new(),
        };
        self.under(attributes, |reader| visit::visit_impl_item(reader, item));
    }

    fn visit_trait_item(&mut self, item: &'ast TraitItem) {
        let attributes = match item {
            TraitItem::Const(item) => &item.attrs,
            TraitItem::Fn(item) => &item.attrs,
            TraitItem::Type(item) => &item.attrs,
            TraitItem::Macro(item) => &item.attrs,
            _ => &Vec::new(),
        };
        self.under(attributes, |reader| visit::visit_trait_item(reader, item));
    }

    fn visit_field(&mut self, field: &'ast syn::Field) {
        self.under(&field.attrs, |reader| visit::visit_field(reader, field));
    }

    fn visit_variant(&mut self, variant: &'ast syn::Variant) {
        self.under(&variant.attrs, |reader| visit::visit_variant(reader, variant));
    }

    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        let name = module.ident.to_string();
        self.modules.insert(name.clone());
        self.inside.push(name);
        if module.content.is_none() {
            let path =
                module.attrs.iter().find(|attribute| attribute.path().is_ident("path")).and_then(text_of);
            self.children.push(Child { names: self.inside.clone(), path, when: self.when.clone() });
        }
        visit::visit_item_mod(self, module);
        self.inside.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.import(&item.tree, if item.leading_colon.is_some() { "::" } else { "" });
    }

    fn visit_item_extern_crate(&mut self, item: &'ast syn::ItemExternCrate) {
        let alias = item.rename.as_ref().map_or(&item.ident, |(_, alias)| alias);
        self.imported(alias.to_string(), item.ident.to_string(), item.span());
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.segments.len() > 1 || path.leading_colon.is_some() {
            let names: Vec<_> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            let colons = if path.leading_colon.is_some() { "::" } else { "" };
            self.name(format!("{colons}{}", names.join("::")), path.span());
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        visit::visit_macro(self, call);
        self.tokens(call.tokens.clone());
    }

    fn visit_meta_list(&mut self, list: &'ast syn::MetaList) {
        visit::visit_meta_list(self, list);
        let before = self.when.clone();
        if list.path.is_ident("cfg_attr") {
            // The first is the condition under which the others are attributes.
            let all = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
            all.iter().flatten().take(1).for_each(|condition| require(condition, &mut self.when));
        }
        self.tokens(list.tokens.clone());
        self.when = before;
    }

    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        if let Some(word) = signature.asyncness {
            self.name("async".into(), word.span());
        }
        visit::visit_signature(self, signature);
    }

    fn visit_expr_async(&mut self, block: &'ast syn::ExprAsync) {
        self.name("async".into(), block.span());
        visit::visit_expr_async(self, block);
    }

    fn visit_expr_await(&mut self, expression: &'ast syn::ExprAwait) {
        self.name("async".into(), expression.span());
        visit::visit_expr_await(self, expression);
    }
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// The text that an attribute such as `#[path = "…"]` has.
fn text_of(attribute: &Attribute) -> Option<String> {
    match &attribute.meta.require_name_value().ok()?.value {
        syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
        _ => None,
    }
}
