//! `grateful doctor`: checks an installation, and says what to do.

mod database;
mod machine;

use std::fmt;

use anyhow::bail;
use serde::Serialize;

use crate::config::{SettingErrors, Settings};

/// The result of one check.
#[derive(Debug, Clone, Serialize)]
struct Check {
    #[serde(rename = "check")]
    name: &'static str,
    status: Status,
    detail: String,
    /// What to do, if there is something.
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Ok,
    /// It works, but something is missing or will be a problem.
    Warn,
    /// The server does not start, or some requests fail.
    Fail,
}

impl Check {
    fn ok(name: &'static str, detail: impl Into<String>) -> Self {
        Self { name, status: Status::Ok, detail: detail.into(), advice: None }
    }

    fn warn(name: &'static str, detail: impl Into<String>, advice: impl Into<String>) -> Self {
        let (detail, advice) = (detail.into(), Some(advice.into()));
        Self { name, status: Status::Warn, detail, advice }
    }

    fn fail(name: &'static str, detail: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { status: Status::Fail, ..Self::warn(name, detail, advice) }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = match self.status {
            Status::Ok => "ok",
            Status::Warn => "warn",
            Status::Fail => "fail",
        };
        write!(f, "{status:<5} {:<12} {}", self.name, self.detail)?;
        match &self.advice {
            Some(advice) => write!(f, "\n{:19}→ {advice}", ""),
            None => Ok(()),
        }
    }
}

pub(super) async fn doctor(settings: Settings, json: bool) -> anyhow::Result<()> {
    let mut checks = machine::check_settings(&settings);
    checks.extend(database::check(&settings).await?);
    checks.extend(machine::check_uploads(&settings).await);
    checks.push(machine::check_open_files(&settings));
    checks.push(machine::check_proxies(&settings));
    checks.push(machine::check_nominatim(&settings).await);
    report(&checks, json)
}

/// Reports invalid settings. Nothing else can be checked without valid ones.
pub(super) fn report_settings(errors: &SettingErrors, json: bool) -> anyhow::Result<()> {
    let fail =
        |reason: &String| Check::fail("settings", reason, "grateful --help explains every setting");
    report(&errors.reasons().iter().map(fail).collect::<Vec<_>>(), json)
}

fn report(checks: &[Check], json: bool) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(checks)?);
    } else {
        for check in checks {
            println!("{check}");
        }
    }
    let failed = checks.iter().filter(|check| check.status == Status::Fail).count();
    match failed {
        0 => Ok(()),
        1 => bail!("one check failed"),
        _ => bail!("{failed} checks failed"),
    }
}
