//! Every example that help, the guide or the README shows runs.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Lake, repository};

#[test]
fn examples_of_statements_run() {
    let examples = lakesh_engine::statements().iter().flat_map(|statement| {
        statement
            .examples
            .iter()
            .map(|example| (statement.name, *example))
    });
    run_each(examples.collect());
}

#[test]
fn examples_of_commands_run() {
    let mut commands = lakesh_engine::command::commands().to_vec();
    commands.push(lakesh_kernel::chart_command());
    let examples = commands.iter().flat_map(|command| {
        command
            .examples()
            .iter()
            .map(|example| (command.usage(), *example))
    });
    run_each(examples.collect());
}

#[test]
fn examples_of_hints_run() {
    let words = lakesh_engine::directive::hint_words();
    run_each(
        words
            .iter()
            .map(|word| (word.names[0], word.example))
            .collect(),
    );
}

#[test]
fn examples_of_functions_run() {
    let functions = lakesh_udfs::functions().iter();
    let examples = functions.flat_map(|function| {
        assert!(!function.examples.is_empty(), "{}", function.name);
        let examples = function.examples.iter();
        examples.map(|example| (function.name, *example))
    });
    run_each(examples.collect());
}

#[test]
fn examples_of_functions_of_other_databases_run() {
    // In one process: there are hundreds.
    let functions = lakesh_function::functions().iter();
    let examples: Vec<_> = functions
        .map(|function| (function.name, function.example))
        .collect();
    assert!(examples.len() > 150);
    let script: Vec<&str> = examples.iter().map(|(_, example)| *example).collect();
    let lake = Lake::new();
    lake.write("examples.sql", script.join("\n"));
    let run = lake.shell(["--keep-going", "examples.sql"]).run();
    assert!(run.status.success(), "{}", run.stderr);
}

#[track_caller]
fn run_each(examples: Vec<(&str, &str)>) {
    assert!(!examples.is_empty());
    let failures: Vec<String> = examples
        .into_iter()
        .filter_map(|(name, example)| {
            let lake = Lake::project();
            lake.write("example.sql", example);
            let run = lake
                .shell(["--allow-native", "example.sql"])
                .with_rustc()
                .run();
            let failed = !run.status.success();
            failed.then(|| format!("{name}: {example}\n{}", run.stderr))
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_pages_of_the_guide_run() {
    let mut pages = vec![repository("README.md")];
    collect(&repository("docs"), &mut pages);
    pages.sort();
    let failures: Vec<String> = pages
        .iter()
        .filter_map(|page| run_page(page).err())
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_first_command_of_the_readme_gives_the_same_answer_twice() {
    let lake = Lake::new();
    let script = repository("docs/examples/trips.sql");
    let arguments = ["--format", "csv", script.to_str().unwrap()];
    let first = lake.shell(arguments).run().succeeds();
    let districts: Vec<_> = first
        .lines()
        .skip(1)
        .map(|line| line.split(',').next().unwrap())
        .collect();
    assert_eq!(districts.len(), 5, "{first}");
    assert_eq!(lake.shell(arguments).run().succeeds(), first);
}

fn collect(folder: &Path, pages: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, pages);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(path);
        }
    }
}

/// Runs the blocks of a page one after the other, in one folder and one process.
fn run_page(page: &Path) -> Result<(), String> {
    let text = fs::read_to_string(page).unwrap();
    let blocks = blocks(&text);
    if blocks.is_empty() {
        return Ok(());
    }
    let lake = Lake::project();
    // Empty lines keep the line numbers of the page.
    let mut script = String::new();
    for (line, block) in blocks {
        let missing = line.saturating_sub(script.matches('\n').count());
        script.push_str(&"\n".repeat(missing));
        script.push_str(&block);
    }
    let name = page
        .file_name()
        .unwrap()
        .to_str()
        .unwrap()
        .replace(".md", ".sql");
    lake.write(&name, script);
    let run = lake
        .shell(["--allow-native", name.as_str()])
        .with_rustc()
        .run();
    match run.status.success() {
        true => Ok(()),
        false => Err(format!(
            "{} (line numbers are the page's own)\n{}",
            page.display(),
            run.stderr
        )),
    }
}

/// Returns the SQL of a page with the number of lines before it: fenced `sql` blocks, and what stands
/// in a hidden `<!-- setup` block.
fn blocks(text: &str) -> Vec<(usize, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(usize, &str, String)> = None;
    for (number, line) in text.lines().enumerate() {
        match &mut open {
            Some((_, end, _)) if line.trim_end() == *end => {
                let (start, _, block) = open.take().expect("a block is open");
                blocks.push((start, block));
            }
            Some((_, _, block)) => {
                block.push_str(line);
                block.push('\n');
            }
            None => match line.trim_end() {
                "```sql" => open = Some((number + 1, "```", String::new())),
                "<!-- setup" => open = Some((number + 1, "-->", String::new())),
                _ => {}
            },
        }
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

#[test]
fn blocks_keep_their_lines() {
    let text = "# A page\n<!-- setup\ncreate table t as select 1;\n-->\ntext\n```sql\nselect 1;\n```\n```sh\nls\n```\n";
    let found = blocks(text);
    assert_eq!(
        found,
        [
            (2, "create table t as select 1;\n".to_owned()),
            (6, "select 1;\n".to_owned())
        ]
    );
}
