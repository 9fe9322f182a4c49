//! The shapes that most settings have: where their value lies, and how it is read and written.

/// A setting of how results are shown.
macro_rules! display_setting {
    ($name:literal, $values:literal, $summary:literal, $field:ident, $show:expr, $parse:expr) => {
        Setting {
            name: $name,
            values: $values,
            summary: $summary,
            get: |session| {
                let show: fn(&DisplayOptions) -> String = $show;
                show(&session.display())
            },
            set: |session, text| {
                let parse: fn(&str) -> Result<_, String> = $parse;
                let value = parse(text).map_err(|expected| wrong($name, text, expected))?;
                session.change_display(|display| display.$field = value);
                Ok(())
            },
            default: |session| {
                let show: fn(&DisplayOptions) -> String = $show;
                show(&session.options().display)
            },
        }
    };
}

/// A setting that is true or false and changes what statements do.
macro_rules! behaviour_setting {
    ($name:literal, $summary:literal, $field:ident) => {
        Setting {
            name: $name,
            values: "true, false",
            summary: $summary,
            get: |session| session.behaviour().$field.to_string(),
            set: |session, text| {
                let value = parse_bool(text).map_err(|expected| wrong($name, text, expected))?;
                session.change_behaviour(|behaviour| behaviour.$field = value);
                Ok(())
            },
            default: |_| Behaviour::default().$field.to_string(),
        }
    };
}

/// A setting of hints.
macro_rules! hint_setting {
    ($name:literal, $values:literal, $summary:literal, $field:ident, $show:expr, $parse:expr) => {
        Setting {
            name: $name,
            values: $values,
            summary: $summary,
            get: |session| {
                let show: fn(&HintSettings) -> String = $show;
                show(&session.behaviour().hints)
            },
            set: |session, text| {
                let parse: fn(&str) -> Result<_, String> = $parse;
                let value = parse(text).map_err(|expected| wrong($name, text, expected))?;
                session.change_behaviour(|behaviour| behaviour.hints.$field = value);
                Ok(())
            },
            default: |_| {
                let show: fn(&HintSettings) -> String = $show;
                show(&HintSettings::default())
            },
        }
    };
}
