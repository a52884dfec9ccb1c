use serde_json::{Map, Value};

/// The smallest part of a document that still fails: without the records of arrays and the
/// fields of objects that are not needed for it, also of JSON in a string, as a HAR file has
/// its bodies. No single one of those that are left can be dropped.
///
/// `fails` says whether a part still fails. If the whole document does not, it is given back.
/// The example `shrink_fixture` does this with a HAR file and a command.
///
/// ```
/// use pagestream::testing::shrink;
/// use serde_json::json;
///
/// let page = json!({"items": [{"id": 1, "tags": []}, {"id": null, "tags": ["a"]}], "next": "c2"});
/// let fails = |page: &serde_json::Value| {
///     let mut items = page["items"].as_array().into_iter().flatten();
///     items.any(|item| item.get("id").is_some_and(|id| id.is_null()))
/// };
/// assert_eq!(shrink(&page, fails), json!({"items": [{"id": null}]}));
/// ```
#[must_use]
pub fn shrink(document: &Value, mut fails: impl FnMut(&Value) -> bool) -> Value {
    if !fails(document) {
        return document.clone();
    }
    let mut shrinking = Shrinking { whole: Node::of(document), fails: &mut fails };
    // What is dropped at the end may make something before it unnecessary.
    while shrinking.shrink(&mut Vec::new()) {}
    shrinking.whole.value()
}

struct Shrinking<'a> {
    whole: Node,
    fails: &'a mut dyn FnMut(&Value) -> bool,
}

impl Shrinking<'_> {
    /// Drops children of the node at a path, and then of what is left of them. Gives whether
    /// some were dropped.
    fn shrink(&mut self, path: &mut Vec<usize>) -> bool {
        let mut is_smaller = false;
        let mut length = self.whole.at(path).map_or(0, Node::len);
        let mut chunk = length;
        while chunk > 0 {
            let mut begin = 0;
            while begin < length {
                let end = (begin + chunk).min(length);
                let mut smaller = self.whole.clone();
                smaller.drop_children(path, begin..end);
                if (self.fails)(&smaller.value()) {
                    self.whole = smaller;
                    is_smaller = true;
                    length -= end - begin;
                } else {
                    begin = end;
                }
            }
            chunk /= 2;
        }
        for index in 0..length {
            path.push(index);
            is_smaller |= self.shrink(path);
            path.pop();
        }
        is_smaller
    }
}

/// A value whose children can be dropped.
#[derive(Clone)]
enum Node {
    Leaf(Value),
    Array(Vec<Node>),
    Object(Vec<(String, Node)>),
    /// JSON in a string. It is as it was until something in it is dropped.
    Text(Option<String>, Box<Node>),
}

impl Node {
    fn of(value: &Value) -> Self {
        match value {
            Value::Array(items) => Self::Array(items.iter().map(Self::of).collect()),
            Value::Object(fields) => {
                let fields = fields.iter().map(|(name, value)| (name.clone(), Self::of(value)));
                Self::Object(fields.collect())
            }
            Value::String(text) => {
                let inner = serde_json::from_str(text).ok().map(|inner| Self::of(&inner));
                match inner.filter(|inner| !matches!(inner, Self::Leaf(_))) {
                    Some(inner) => Self::Text(Some(text.clone()), Box::new(inner)),
                    None => Self::Leaf(value.clone()),
                }
            }
            other => Self::Leaf(other.clone()),
        }
    }

    fn value(&self) -> Value {
        match self {
            Self::Leaf(value) => value.clone(),
            Self::Array(items) => items.iter().map(Self::value).collect(),
            Self::Object(fields) => {
                let fields = fields.iter().map(|(name, node)| (name.clone(), node.value()));
                Value::Object(fields.collect::<Map<_, _>>())
            }
            Self::Text(Some(text), _) => Value::from(text.as_str()),
            Self::Text(None, node) => Value::from(node.value().to_string()),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Leaf(_) => 0,
            Self::Array(items) => items.len(),
            Self::Object(fields) => fields.len(),
            Self::Text(_, node) => node.len(),
        }
    }

    fn at(&self, whole: &[usize]) -> Option<&Self> {
        let Some((first, path)) = whole.split_first() else { return Some(self) };
        match self {
            Self::Leaf(_) => None,
            Self::Array(items) => items.get(*first)?.at(path),
            Self::Object(fields) => fields.get(*first)?.1.at(path),
            Self::Text(_, node) => node.at(whole),
        }
    }

    fn drop_children(&mut self, path: &[usize], range: std::ops::Range<usize>) {
        match (self, path.split_first()) {
            (Self::Text(text, node), _) => {
                *text = None;
                node.drop_children(path, range);
            }
            (Self::Array(items), None) => drop(items.drain(range)),
            (Self::Object(fields), None) => drop(fields.drain(range)),
            (Self::Array(items), Some((first, path))) => {
                if let Some(item) = items.get_mut(*first) {
                    item.drop_children(path, range);
                }
            }
            (Self::Object(fields), Some((first, path))) => {
                if let Some((_, field)) = fields.get_mut(*first) {
                    field.drop_children(path, range);
                }
            }
            (Self::Leaf(_), _) => {}
        }
    }
}
