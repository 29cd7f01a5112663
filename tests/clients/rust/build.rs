//! Generates the client from the document at `GRATEFUL_OPENAPI`.

use std::path::PathBuf;
use std::{env, fs};

use openapiv3::{
    OpenAPI, Operation, Parameter, ParameterSchemaOrContent, PathItem, ReferenceOr, Response,
    StatusCode,
};
use progenitor_impl::{GenerationSettings, Generator, InterfaceStyle};

fn main() {
    println!("cargo::rerun-if-env-changed=GRATEFUL_OPENAPI");
    let document = env::var("GRATEFUL_OPENAPI").expect("GRATEFUL_OPENAPI is a path");
    println!("cargo::rerun-if-changed={document}");

    let document = fs::read_to_string(document).expect("the document is readable");
    let mut document: OpenAPI =
        serde_json::from_str(&document).expect("the document is OpenAPI 3.0");
    adapt(&mut document);

    let mut settings = GenerationSettings::default();
    // A new optional field breaks no caller.
    settings.with_interface(InterfaceStyle::Builder);
    let mut generator = Generator::new(&settings);
    let code = generator.generate_tokens(&document).expect("progenitor generates the client");
    let file = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join("client.rs");
    fs::write(file, code.to_string()).expect("the folder of the build is writable");
}

/// Replaces what progenitor does not support.
fn adapt(document: &mut OpenAPI) {
    for path in document.paths.paths.values_mut() {
        let ReferenceOr::Item(path) = path else { continue };
        remove_forms(path);
        for operation in operations(path) {
            split_default(operation);
            remove_repeated_headers(operation);
            operation.parameters.iter_mut().for_each(remove_null);
            operation.responses.responses.values_mut().for_each(retype_problem);
        }
    }
    if let Some(components) = &mut document.components {
        components.responses.values_mut().for_each(retype_problem);
    }
}

/// It generates no operation whose body is a form with files.
fn remove_forms(path: &mut PathItem) {
    for operation in [&mut path.post, &mut path.put] {
        let body = operation.as_ref().and_then(|operation| operation.request_body.as_ref());
        let content = body.and_then(ReferenceOr::as_item).map(|body| &body.content);
        if content.is_some_and(|content| content.contains_key("multipart/form-data")) {
            *operation = None;
        }
    }
}

/// It takes `default` for a success too, and all successes must have one type.
fn split_default(operation: &mut Operation) {
    if let Some(default) = operation.responses.default.take() {
        for class in [4, 5] {
            operation.responses.responses.insert(StatusCode::Range(class), default.clone());
        }
    }
}

/// It gives the header `Last-Event-ID` and the query parameter `last_event_id` one name.
fn remove_repeated_headers(operation: &mut Operation) {
    let is_query = |parameter: &&ReferenceOr<Parameter>| {
        matches!(parameter.as_item(), Some(Parameter::Query { .. }))
    };
    let queries = operation.parameters.iter().filter(is_query).filter_map(snake_name);
    let queries: Vec<String> = queries.collect();
    operation.parameters.retain(|parameter| {
        !matches!(parameter.as_item(), Some(Parameter::Header { .. }))
            || snake_name(parameter).is_none_or(|name| !queries.contains(&name))
    });
}

fn snake_name(parameter: &ReferenceOr<Parameter>) -> Option<String> {
    let parameter = parameter.as_item()?;
    Some(parameter.parameter_data_ref().name.to_lowercase().replace('-', "_"))
}

/// Its code for optional headers that can be `null` does not compile.
fn remove_null(parameter: &mut ReferenceOr<Parameter>) {
    if let ReferenceOr::Item(Parameter::Header { parameter_data, .. }) = parameter
        && let ParameterSchemaOrContent::Schema(ReferenceOr::Item(schema)) =
            &mut parameter_data.format
    {
        schema.schema_data.nullable = false;
    }
}

/// It gives types only to bodies of `application/json`.
fn retype_problem(response: &mut ReferenceOr<Response>) {
    if let ReferenceOr::Item(response) = response
        && let Some(problem) = response.content.shift_remove("application/problem+json")
    {
        response.content.insert("application/json".to_owned(), problem);
    }
}

fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, delete, patch, .. } = path;
    [get, put, post, delete, patch].into_iter().flatten()
}
