//! Options from the environment, since users of Helm cannot always pass arguments: every option
//! as `ROUTING_SECRETS_<OPTION>`, lists in the platform's path-list form. The command line wins.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};

use anyhow::{Context as _, Result, anyhow, bail};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory as _, FromArgMatches as _};
use serde_json::Value;

use crate::cli::Cli;
use crate::output::escape::escape;

const PREFIX: &str = "ROUTING_SECRETS_";

/// Names that the tests and CI use for themselves.
const OTHERS: [&str; 2] = ["CORPUS", "CACHE"];

/// The command line, with what it leaves open taken from the environment.
///
/// # Errors
/// The outer one when a variable is wrong, or starts like ours and is none of ours: most likely a misspelt one. The
/// inner one is clap's for the command line alone.
pub(super) fn parse(arguments: &[OsString], env: &BTreeMap<OsString, OsString>) -> Result<Result<Cli, clap::Error>> {
    let mut command = Cli::command();
    // Before clap adds options of its own to the command.
    let values = ours(&command, env);
    let matches = match command.try_get_matches_from_mut(arguments) {
        Ok(matches) => matches,
        Err(error) => return Ok(Err(error)),
    };
    let values = values?;
    let given = matches.subcommand().filter(|_| !values.is_empty());
    let Some((name, given)) = given else { return Ok(Cli::from_arg_matches(&matches)) };
    let options = command.get_subcommands().filter(|subcommand| subcommand.get_name() == name);
    let mut all = arguments.to_vec();
    for option in options.flat_map(Command::get_arguments) {
        let Some((variable, value)) = option.get_long().and_then(|long| values.get_key_value(&variable(long))) else {
            continue;
        };
        if is_on_the_line(given, option) {
            continue;
        }
        let extra = arguments_of(option, value).map_err(|error| anyhow!("{variable}{error}"))?;
        let alone: Vec<OsString> = all.iter().chain(&extra).cloned().collect();
        if let Err(error) = command.clone().try_get_matches_from(&alone) {
            bail!("{variable}: {}", first_line(&error));
        }
        all = alone;
    }
    Ok(Cli::from_arg_matches(&command.try_get_matches_from(all)?))
}

/// What clap says is wrong, without its advice.
pub(super) fn first_line(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let line = text.lines().next().unwrap_or_default();
    escape(line.strip_prefix("error: ").unwrap_or(line)).into_owned()
}

/// The arguments that say the same as a key of a KRM function's configuration: an option's name, also in camelCase, with
/// a value or a list of values.
///
/// # Errors
/// When the command has no such option, or the value is of another kind.
pub(super) fn of_configuration(command: &str, key: &str, value: &Value) -> Result<Vec<OsString>> {
    let mut long = String::new();
    for character in key.chars() {
        if character.is_ascii_uppercase() {
            long.push('-');
        }
        long.push(character.to_ascii_lowercase());
    }
    let cli = Cli::command();
    let options = cli.get_subcommands().filter(|subcommand| subcommand.get_name() == command);
    let option = options.flat_map(Command::get_arguments).find(|option| option.get_long() == Some(&long));
    let option = option.with_context(|| format!("the function's configuration: \"{}\" is no option", escape(key)))?;
    let values = match value {
        Value::Array(values) if matches!(option.get_action(), ArgAction::Append) => values.iter().collect(),
        value => vec![value],
    };
    let mut arguments = Vec::new();
    for value in values {
        let text = match value {
            Value::Null => continue,
            Value::String(text) => text.clone(),
            Value::Bool(_) | Value::Number(_) => value.to_string(),
            Value::Array(_) | Value::Object(_) => {
                bail!("the function's configuration: {} takes a value or, if repeatable, a list", escape(key));
            }
        };
        let of_value = arguments_of(option, text.as_ref());
        arguments.extend(of_value.map_err(|error| anyhow!("the function's configuration: {}{error}", escape(key)))?);
    }
    Ok(arguments)
}

fn variable(long: &str) -> String {
    format!("{PREFIX}{}", long.to_ascii_uppercase().replace('-', "_"))
}

/// The variables that hold something.
fn ours<'e>(command: &Command, env: &'e BTreeMap<OsString, OsString>) -> Result<BTreeMap<String, &'e OsStr>> {
    let options = command.get_subcommands().flat_map(Command::get_arguments);
    let known: BTreeSet<String> = options.filter_map(|option| option.get_long().map(variable)).collect();
    let mut values = BTreeMap::new();
    for (name, value) in env {
        let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else { continue };
        if OTHERS.contains(&&name[PREFIX.len()..]) {
            continue;
        }
        if !known.contains(name) {
            let known: Vec<&str> = known.iter().map(|name| &name[PREFIX.len()..]).collect();
            bail!("{name} is no option; there are {PREFIX}{{{}}}", known.join(","));
        }
        if !value.is_empty() {
            values.insert(name.to_owned(), value.as_os_str());
        }
    }
    Ok(values)
}

fn is_on_the_line(matches: &ArgMatches, option: &Arg) -> bool {
    matches.value_source(option.get_id().as_str()) == Some(ValueSource::CommandLine)
}

/// The arguments that say the same as the variable; an error goes on after its name.
fn arguments_of(option: &Arg, value: &OsStr) -> Result<Vec<OsString>, String> {
    let long = option.get_long().unwrap_or_default();
    let with = |value: &OsStr| {
        let mut argument = OsString::from(format!("--{long}="));
        argument.push(value);
        argument
    };
    match option.get_action() {
        ArgAction::SetTrue => match value.to_str() {
            Some("true" | "1") => Ok(vec![format!("--{long}").into()]),
            Some("false" | "0") => Ok(Vec::new()),
            _ => Err(" must be true or false".to_owned()),
        },
        ArgAction::Append => Ok(std::env::split_paths(value).map(|part| with(part.as_os_str())).collect()),
        _ => Ok(vec![with(value)]),
    }
}
