//! The tour in `docs/tour.md`: its commands run, and print the shown output.

use std::process::Command;

use grateful_tests::Setup;
use serde_json::Value;

const TOUR: &str = include_str!("../docs/tour.md");

/// Separates the outputs of two blocks of commands.
const SEPARATOR: &str = "=====";

#[tokio::test]
async fn the_commands_of_the_tour_print_the_output_that_it_shows() {
    let server = Setup::with_private_postgres().start().await;

    take_the_tour(&server.address());
}

/// For `bin/server/packaging/check`, whose servers are installed, or after a proxy. Their database must be empty.
#[test]
#[ignore = "needs GRATEFUL_TOUR_ADDRESS, the address of a running server"]
fn a_running_server_gives_the_same_tour() {
    take_the_tour(&std::env::var("GRATEFUL_TOUR_ADDRESS").expect("GRATEFUL_TOUR_ADDRESS"));
}

/// Runs the commands of the tour with the server at an address, and compares their output.
fn take_the_tour(address: &str) {
    let steps = steps(TOUR);
    let separator = format!("\necho\necho {SEPARATOR}\n");
    let script = steps.iter().flat_map(|step| [step.commands, &separator]).collect::<String>();

    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &script.replace("localhost:8000", address)])
        .output()
        .expect("bash and curl");
    let stdout = String::from_utf8(output.stdout).expect("UTF-8");

    assert!(output.status.success(), "{stdout}{}", String::from_utf8_lossy(&output.stderr));
    let outputs: Vec<&str> = stdout.split(SEPARATOR).map(str::trim).collect();
    assert_eq!(outputs.len(), steps.len() + 1, "{stdout}");
    for (step, output) in steps.iter().zip(outputs) {
        if let Some(expected) = step.expected_output {
            assert_eq!(normalized_lines(output), normalized_lines(expected), "{}", step.commands);
        }
    }
}

/// A block of commands, and its output if the tour shows it.
struct Step {
    commands: &'static str,
    expected_output: Option<&'static str>,
}

fn steps(tour: &'static str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    // Every second part is a fenced code block.
    for block in tour.split("```").skip(1).step_by(2) {
        match block.split_once('\n').expect("a language") {
            ("sh", commands) => steps.push(Step { commands, expected_output: None }),
            ("json", output) => steps.last_mut().expect("commands").expected_output = Some(output),
            (language, _) => panic!("unexpected language: {language}"),
        }
    }
    assert!(5 < steps.len(), "the tour is too short");
    steps
}

/// The lines of an output, with JSON values that differ in every run replaced.
fn normalized_lines(text: &str) -> Vec<String> {
    text.trim()
        .lines()
        .map(|line| match serde_json::from_str::<Value>(line) {
            Ok(mut json) => {
                replace_variable_values(&mut json);
                json.to_string()
            }
            Err(_) => line.to_owned(),
        })
        .collect()
}

fn replace_variable_values(value: &mut Value) {
    const VARIABLE: [&str; 6] =
        ["id", "post_id", "request_id", "timestamp", "created_at", "access_token"];
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if VARIABLE.contains(&name.as_str()) && value.is_string() {
                    *value = Value::from("…");
                }
                replace_variable_values(value);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(replace_variable_values),
        _ => (),
    }
}
