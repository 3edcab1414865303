//! Variables: `KEY=VALUE`, or `KEY` for the caller's, one by one or as lines of a file.
//!
//! A file has no quoting, as Docker's: what stands after the first `=` is the value, to the end of the line. Empty
//! lines and lines that begin with `#` are skipped. A caller's variable that is not set is left out.

use super::GrammarError;

/// A variable: its name and its value.
pub(crate) type Variable = (String, String);

/// Reads one variable; `caller` looks the caller's up.
pub(crate) fn variable(text: &str, caller: impl Fn(&str) -> Option<String>) -> Result<Option<Variable>, GrammarError> {
    let (key, value) = match text.split_once('=') {
        Some((key, value)) => (key, Some(value.to_owned())),
        None => (text, caller(text)),
    };
    if key.is_empty() || key.contains(char::is_whitespace) || text.contains('\0') {
        return Err(GrammarError::Variable);
    }
    Ok(value.map(|value| (key.to_owned(), value)))
}

/// Reads the lines of a file.
pub(crate) fn lines(text: &str, caller: impl Fn(&str) -> Option<String>) -> Result<Vec<Variable>, GrammarError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut variables = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        variables.extend(variable(line, &caller).map_err(|_| GrammarError::VariableLine(at + 1))?);
    }
    Ok(variables)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(key: &str) -> Option<String> {
        (key == "HOME").then(|| "/root".to_owned())
    }

    fn pair(key: &str, value: &str) -> Variable {
        (key.to_owned(), value.to_owned())
    }

    #[test]
    fn a_variable_has_a_value_or_takes_the_callers() {
        assert_eq!(variable("A=b=c", caller), Ok(Some(pair("A", "b=c"))));
        assert_eq!(variable("A=", caller), Ok(Some(pair("A", ""))));
        assert_eq!(variable("HOME", caller), Ok(Some(pair("HOME", "/root"))));
        assert_eq!(variable("UNSET", caller), Ok(None));
    }

    #[test]
    fn a_variable_needs_a_name() {
        for text in ["", "=x", "A B=c", "A\0=b"] {
            assert_eq!(variable(text, caller), Err(GrammarError::Variable), "{text:?}");
        }
    }

    #[test]
    fn a_file_has_comments_and_no_quoting() {
        let text = "\u{feff}# about\n\nA=\"b\" # c\n  HOME\nUNSET\r\nB=\n";
        assert_eq!(lines(text, caller), Ok(vec![pair("A", "\"b\" # c"), pair("HOME", "/root"), pair("B", "")]));
    }

    #[test]
    fn a_wrong_line_is_named_by_its_number_and_not_by_its_text() {
        let error = lines("A=b\nTHE SECRET=x\n", caller).unwrap_err();
        assert_eq!(error, GrammarError::VariableLine(2));
        assert!(!error.to_string().contains("SECRET"));
    }
}
