//! `helm setup`, `status` and `remove`: the post-renderer by its name, for the helm at hand.

use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::{Helm, on_the_path, output, shown};
use crate::commands::{FINE, FOUND, World};
use crate::helm::contract::{PLUGIN, Version};
use crate::helm::plugin::{PLUGIN_YAML, alias_line, export_line, names, own_folder, with_folder};
use crate::output::escape::escape;

/// Puts the plug-in where only a Helm 4 will look, and prints the line that makes it look there.
pub(super) fn setup(world: &mut World<'_>) -> Result<u8> {
    let helm = Helm::find(world)?;
    let name = shown(&helm.program);
    if on_the_path(PLUGIN, world).is_none() {
        bail!("{PLUGIN} is not on the PATH, where {name} has to find it: put it there");
    }
    if helm.version == Version::Helm3 {
        writeln!(world.stderr, "{name} is Helm {}: --post-renderer {PLUGIN} works, nothing is to be done", helm.says)?;
        return Ok(FINE);
    }
    let own = own_folder(&helm.env("HELM_DATA_HOME", world)?);
    let plugin = own.join(PLUGIN);
    fs::create_dir_all(&plugin)
        .and_then(|()| fs::write(plugin.join("plugin.yaml"), PLUGIN_YAML))
        .with_context(|| format!("failed to write {}", plugin.display()))?;
    let own_shown = path_shown(&own);
    writeln!(world.stderr, "{name} is Helm {}: its plug-in {PLUGIN} is in {own_shown}", helm.says)?;
    let plugins = helm.env("HELM_PLUGINS", world)?;
    if names(plugins.as_os_str(), &own) {
        writeln!(world.stderr, "HELM_PLUGINS names that folder: --post-renderer {PLUGIN} works")?;
        return Ok(FINE);
    }
    let (line, why) = line(&helm, plugins.as_os_str(), &own, world)?;
    world.stderr.write_all(why.as_bytes())?;
    writeln!(world.stderr, "put this line where your shell starts (it is the only one on standard output):")?;
    writeln!(world.stdout, "{line}")?;
    Ok(FINE)
}

/// The line that makes a Helm 4 find the plug-in, and what a person should know about it.
fn line(helm: &Helm, plugins: &OsStr, own: &Path, world: &World<'_>) -> Result<(String, String)> {
    let all = with_folder(plugins, own).context("failed to add the folder to HELM_PLUGINS")?;
    let all = all.to_string_lossy();
    let mut why = "with two folders in HELM_PLUGINS, helm plugin install, update and uninstall go wrong: unset it for those\n\
                   (or, where no Helm 3 is used, install the plug-in with helm plugin install, which needs no variable)\n"
        .to_owned();
    let name = shown(&helm.program);
    match helm_3(world) {
        Some(three) if cfg!(unix) && !name.contains('/') => {
            why.push_str(&format!(
                "{three} is a Helm 3, which would load no plug-in at all with this: so it is set for {name} alone\n"
            ));
            Ok((alias_line(&name, &all), why))
        }
        Some(three) => {
            why.push_str(&format!(
                "{three} is a Helm 3, which loads no plug-in at all with this: unset it for that one\n"
            ));
            Ok((export_line(&all), why))
        }
        None => Ok((export_line(&all), why)),
    }
}

/// A Helm 3 beside the helm at hand.
fn helm_3(world: &World<'_>) -> Option<String> {
    let helms = ["helm", "helm3"].into_iter().filter_map(|name| on_the_path(name, world));
    let three = |path: &PathBuf| {
        Helm::ask(path.clone().into_os_string(), world).is_ok_and(|helm| helm.version == Version::Helm3)
    };
    helms.into_iter().find(three).map(|path| path_shown(&path))
}

/// Shows what is there and what is missing.
pub(super) fn status(world: &mut World<'_>) -> Result<u8> {
    let helm = Helm::find(world)?;
    let mut checks = vec![Ok(format!("{} is Helm {}", shown(&helm.program), helm.says))];
    checks.push(match on_the_path(PLUGIN, world) {
        Some(path) => Ok(format!("the program is {}", path_shown(&path))),
        None => Err(format!("{PLUGIN} is not on the PATH, where helm has to find it: put it there")),
    });
    let listed = output(&helm.program, &["plugin", "list"], world)?;
    let plugins = helm.env("HELM_PLUGINS", world)?;
    if !listed.status.success() {
        let why = String::from_utf8_lossy(&listed.stderr);
        let why = escape(why.lines().next().unwrap_or_default()).into_owned();
        checks.push(Err(format!(
            "helm cannot load its plug-ins: {why}: take those of Helm 4 out of {} when this is a Helm 3",
            path_shown(&plugins)
        )));
    } else if helm.version == Version::Helm4 {
        let listed = String::from_utf8_lossy(&listed.stdout);
        let has_ours = listed.lines().any(|line| line.split_whitespace().next() == Some(PLUGIN));
        checks.push(if has_ours {
            Ok(format!("helm finds its plug-in {PLUGIN}"))
        } else {
            let own = own_folder(&helm.env("HELM_DATA_HOME", world)?);
            Err(if own.join(PLUGIN).join("plugin.yaml").is_file() {
                let (line, _) = line(&helm, plugins.as_os_str(), &own, world)?;
                format!("HELM_PLUGINS does not name {}: {}", path_shown(&own), escape(&line))
            } else {
                format!("helm finds no plug-in {PLUGIN}: kubectl routing-secrets helm setup")
            })
        });
    }
    let is_ready = checks.iter().all(Result::is_ok);
    for check in checks {
        match check {
            Ok(fine) => writeln!(world.stdout, "ok       {fine}")?,
            Err(missing) => writeln!(world.stdout, "missing  {missing}")?,
        }
    }
    if is_ready {
        writeln!(world.stdout, "--post-renderer {PLUGIN} works")?;
    }
    Ok(if is_ready { FINE } else { FOUND })
}

/// Takes away what `setup` wrote.
pub(super) fn remove(world: &mut World<'_>) -> Result<u8> {
    let helm = Helm::find(world)?;
    let own = own_folder(&helm.env("HELM_DATA_HOME", world)?);
    let plugin = own.join(PLUGIN);
    let removed = fs::remove_file(plugin.join("plugin.yaml"));
    match removed {
        Ok(()) => writeln!(world.stderr, "{} is removed", path_shown(&plugin))?,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            writeln!(world.stderr, "nothing is to be removed: there is no {}", path_shown(&plugin))?;
        }
        Err(error) => return Err(error).with_context(|| format!("failed to remove {}", plugin.display())),
    }
    // Folders that hold something else stay.
    for folder in [&plugin, &own] {
        let _ = fs::remove_dir(folder);
    }
    if names(helm.env("HELM_PLUGINS", world)?.as_os_str(), &own) {
        writeln!(
            world.stderr,
            "HELM_PLUGINS still names {}: take that line out of your shell's start",
            path_shown(&own)
        )?;
    }
    Ok(FINE)
}

fn path_shown(path: &Path) -> String {
    escape(&path.to_string_lossy()).into_owned()
}
