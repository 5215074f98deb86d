//! The paths of `--sort-by` and `-o custom-columns`: the part of kubectl's JSONPath that names a field.

use serde_json::Value;

/// A path such as `.metadata.name`, `{.hosts[0]}` or `hosts[*]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Field(String),
    Item(usize),
    Every,
}

/// A path that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no path such as .metadata.name or .hosts[0]")]
pub struct PathError(String);

impl Path {
    /// Reads a path.
    ///
    /// # Errors
    /// When it is more than fields and indices.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let wrong = || PathError(text.to_owned());
        let mut rest = text.trim();
        if let Some(inner) = rest.strip_prefix('{') {
            rest = inner.strip_suffix('}').ok_or_else(wrong)?;
        }
        rest = rest.strip_prefix('$').unwrap_or(rest);
        let mut steps = Vec::new();
        while !rest.is_empty() {
            if let Some(inner) = rest.strip_prefix('[') {
                let (index, after) = inner.split_once(']').ok_or_else(wrong)?;
                steps.push(if index == "*" { Step::Every } else { Step::Item(index.parse().map_err(|_| wrong())?) });
                rest = after;
                continue;
            }
            let name = rest.strip_prefix('.').unwrap_or(rest);
            let end = name.find(['.', '[']).unwrap_or(name.len());
            let is_name =
                |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
            if end == 0 || !is_name(&name[..end]) {
                return Err(wrong());
            }
            steps.push(Step::Field(name[..end].to_owned()));
            rest = &name[end..];
        }
        if steps.is_empty() { Err(wrong()) } else { Ok(Self(steps)) }
    }

    /// Every value at the path.
    #[must_use]
    pub fn find<'v>(&self, value: &'v Value) -> Vec<&'v Value> {
        let mut found = vec![value];
        for step in &self.0 {
            found = found
                .into_iter()
                .flat_map(|value| match step {
                    Step::Field(name) => value.get(name).into_iter().collect::<Vec<_>>(),
                    Step::Item(index) => value.get(index).into_iter().collect(),
                    Step::Every => value.as_array().into_iter().flatten().collect(),
                })
                .collect();
        }
        found
    }

    /// The values at the path as kubectl's columns show them; `<none>` when there are none.
    #[must_use]
    pub fn text(&self, value: &Value) -> String {
        let show = |value: &Value| match value {
            Value::String(text) => text.clone(),
            Value::Array(items) => {
                let items: Vec<String> =
                    items.iter().map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned)).collect();
                format!("[{}]", items.join(" "))
            }
            value => value.to_string(),
        };
        let found: Vec<String> = self.find(value).into_iter().map(show).collect();
        if found.is_empty() { "<none>".to_owned() } else { found.join(",") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_fields_as_kubectls_do() {
        let value = serde_json::json!({"metadata": {"name": "a"}, "hosts": ["x", "y"], "problems": [{"code": "c"}, {"code": "d"}], "usable": true});
        for (path, expected) in [
            (".metadata.name", "a"),
            ("{.metadata.name}", "a"),
            ("metadata.name", "a"),
            ("$.metadata.name", "a"),
            (".hosts", "[x y]"),
            (".hosts[0]", "x"),
            (".hosts[*]", "x,y"),
            (".hosts[9]", "<none>"),
            (".problems[*].code", "c,d"),
            (".nothing.at.all", "<none>"),
            (".usable", "true"),
        ] {
            assert_eq!(Path::parse(path).unwrap().text(&value), expected, "{path}");
        }
    }

    #[test]
    fn other_paths_are_refused() {
        for path in ["", "{", "{.a", ".", "..a", ".a[", ".a[x]", ".a[?(@.b)]", ".a b"] {
            assert_eq!(Path::parse(path), Err(PathError(path.to_owned())), "{path}");
        }
    }
}
