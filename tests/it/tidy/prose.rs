//! Counts the words of the sentences of a document.
//!
//! It reads paragraphs and the items of lists, but no headings, tables, blocks of code and HTML. A code span is one word, a
//! link is its text.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// A sentence and the number of its words.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Sentence {
    pub(crate) words: usize,
    pub(crate) text: String,
}

/// The sentences of a document in Markdown. Fragments of two words or fewer do not count.
pub(crate) fn sentences(markdown: &str) -> Vec<Sentence> {
    let texts = paragraphs(markdown);
    let split = texts.iter().flat_map(|paragraph| split(paragraph));
    let counted = split.map(|text| Sentence { words: words(text), text: text.replace(CODE, "code") });
    counted.filter(|sentence| sentence.words > 2).collect()
}

/// Stands for a code span. It is no letter, so that it can't join words, and no white space.
const CODE: char = '\u{fffc}';

/// The running text, a string for each paragraph and each item of a list.
fn paragraphs(markdown: &str) -> Vec<String> {
    let mut texts = vec![String::new()];
    let mut skipped = 0;
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Heading { .. } | Tag::Table(_) | Tag::CodeBlock(_) | Tag::HtmlBlock) => {
                skipped += 1;
            }
            Event::End(TagEnd::Heading(_) | TagEnd::Table | TagEnd::CodeBlock | TagEnd::HtmlBlock) => {
                skipped -= 1;
            }
            Event::Start(Tag::Paragraph | Tag::Item) | Event::End(TagEnd::Paragraph | TagEnd::Item) => {
                texts.push(String::new());
            }
            _ if skipped > 0 => {}
            Event::Text(text) => texts.last_mut().unwrap().push_str(&text),
            Event::Code(_) => texts.last_mut().unwrap().push(CODE),
            Event::SoftBreak | Event::HardBreak => texts.last_mut().unwrap().push(' '),
            _ => {}
        }
    }
    texts.retain(|text| !text.trim().is_empty());
    texts
}

/// Splits a paragraph. A sentence ends with one of `.!?:`, closing marks and white space, if the next text begins like a
/// sentence. So a colon before a code span ends no sentence: an example follows.
fn split(paragraph: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let mut start = 0;
    for (at, end) in paragraph.match_indices(['.', '!', '?', ':']) {
        let behind = paragraph[at + 1..].trim_start_matches(['*', '_', '"', '”', ')']);
        let next = behind.trim_start();
        let begins = next.starts_with(|c: char| c.is_ascii_uppercase() || "\"“*[(".contains(c))
            || next.starts_with(CODE) && end != ":";
        if behind.len() > next.len() && begins {
            let cut = paragraph.len() - next.len();
            sentences.push(paragraph[start..cut].trim());
            start = cut;
        }
    }
    sentences.push(paragraph[start..].trim());
    sentences
}

/// A word begins with a letter or a digit and goes on with these, apostrophes, hyphens and underscores.
fn words(sentence: &str) -> usize {
    let is_inner = |c: char| c.is_alphanumeric() || "_'’-".contains(c);
    let pieces =
        sentence.split(|c| !is_inner(c)).filter(|piece| piece.contains(|c: char| c.is_ascii_alphanumeric()));
    pieces.count() + sentence.matches(CODE).count()
}
