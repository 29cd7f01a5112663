//! The tour of the README is true: its commands are run, and answer what it says they answer.

use std::process::Command;

use grateful_tests::Setup;
use serde_json::Value;

const README: &str = include_str!("../README.md");

/// Between the outputs of two blocks of commands.
const BORDER: &str = "=====";

#[tokio::test]
async fn the_tour_answers_what_the_readme_says() {
    let server = Setup::with_private_postgres().start().await;
    let tour = section("## A tour in five minutes");
    let steps = steps(tour);
    let border = format!("\necho\necho {BORDER}\n");
    let script = steps.iter().flat_map(|step| [step.commands, &border]).collect::<String>();

    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &script.replace("localhost:8000", &server.address())])
        .output()
        .expect("bash and curl");
    let said = String::from_utf8(output.stdout).expect("UTF-8");

    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let outputs: Vec<&str> = said.split(BORDER).map(str::trim).collect();
    assert_eq!(outputs.len(), steps.len() + 1, "{said}");
    for (step, output) in steps.iter().zip(outputs) {
        if let Some(answer) = step.answer {
            assert_eq!(lines(output), lines(answer), "{}", step.commands);
        }
    }
}

/// Commands, and what they answer where the README shows it.
struct Step {
    commands: &'static str,
    answer: Option<&'static str>,
}

fn section(title: &str) -> &'static str {
    let (_, section) = README.split_once(title).expect("a tour");
    section.split("\n## ").next().unwrap_or(section)
}

fn steps(tour: &'static str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    // What stands between fences is every second piece.
    for block in tour.split("```").skip(1).step_by(2) {
        match block.split_once('\n').expect("a language") {
            ("sh", commands) => steps.push(Step { commands, answer: None }),
            ("json", answer) => steps.last_mut().expect("commands").answer = Some(answer),
            (language, _) => panic!("what is {language}?"),
        }
    }
    assert!(5 < steps.len(), "the tour is too short");
    steps
}

/// The lines, without what is different every time.
fn lines(text: &str) -> Vec<String> {
    text.trim()
        .lines()
        .map(|line| match serde_json::from_str::<Value>(line) {
            Ok(mut json) => {
                forget(&mut json);
                json.to_string()
            }
            Err(_) => line.to_owned(),
        })
        .collect()
}

fn forget(value: &mut Value) {
    const PASSING: [&str; 6] =
        ["id", "post_id", "request_id", "timestamp", "created_at", "access_token"];
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if PASSING.contains(&name.as_str()) && value.is_string() {
                    *value = Value::from("…");
                }
                forget(value);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(forget),
        _ => (),
    }
}
