//! The messages of DMTF's registries that this service uses: their names,
//! arguments and severities.

use serde_json::{Value as Json, json};

/// One registry.
#[derive(Debug)]
pub(super) struct Registry {
    /// Its prefix, such as `Base`.
    pub(super) prefix: &'static str,
    /// Its version.
    pub(super) version: &'static str,
    pub(super) messages: &'static [Template],
}

/// One message before its arguments are known.
#[derive(Debug)]
pub(super) struct Template {
    pub(super) key: &'static str,
    pub(super) severity: &'static str,
    pub(super) text: &'static str,
    /// The type of each argument, `s` for a string, `n` for a number.
    pub(super) arguments: &'static str,
    pub(super) resolution: &'static str,
}

const fn template(
    key: &'static str,
    severity: &'static str,
    arguments: &'static str,
    text: &'static str,
    resolution: &'static str,
) -> Template {
    Template {
        key,
        severity,
        text,
        arguments,
        resolution,
    }
}

const OK: &str = "OK";
const WARNING: &str = "Warning";
const CRITICAL: &str = "Critical";
const NONE: &str = "None.";
const CORRECT: &str = "Correct the request body and resubmit the request.";
const LOOK: &str = "Check the condition of the resource listed in OriginOfCondition.";

/// Every registry, in the order in which they are listed.
pub(super) const REGISTRIES: &[Registry] = &[
    Registry {
        prefix: "Base",
        version: "1.18.1",
        messages: BASE,
    },
    Registry {
        prefix: "Environmental",
        version: "1.1.0",
        messages: ENVIRONMENTAL,
    },
    Registry {
        prefix: "Platform",
        version: "1.3.2",
        messages: PLATFORM,
    },
    Registry {
        prefix: "Power",
        version: "1.2.0",
        messages: POWER,
    },
    Registry {
        prefix: "ResourceEvent",
        version: "1.4.1",
        messages: RESOURCE_EVENT,
    },
];

#[rustfmt::skip]
const BASE: &[Template] = &[
    template("Success", OK, "", "The request completed successfully.", NONE),
    template("GeneralError", CRITICAL, "", "A general error has occurred. See Resolution for information on how to resolve the error.", NONE),
    template("AccessDenied", CRITICAL, "s", "While attempting to establish a connection to '%1', the service denied access.", "Use valid credentials."),
    template("NoValidSession", CRITICAL, "", "There is no valid session established with the implementation.", "Establish a session before attempting any operations."),
    template("InsufficientPrivilege", CRITICAL, "", "There are insufficient privileges for the account or credentials associated with the current session to perform the requested operation.", "Use an account with the needed privileges."),
    template("ResourceNotFound", CRITICAL, "ss", "The requested resource of type %1 named '%2' was not found.", "Provide a valid resource identifier and resubmit the request."),
    template("OperationNotAllowed", CRITICAL, "", "The HTTP method is not allowed on this resource.", "Use a method of the Allow header."),
    template("ActionNotSupported", CRITICAL, "s", "The action %1 is not supported by the resource.", "Use an action that the resource lists."),
    template("ActionParameterMissing", CRITICAL, "ss", "The action %1 requires that the parameter %2 be present in the request body.", CORRECT),
    template("ActionParameterUnknown", WARNING, "ss", "The action %1 was submitted with the invalid parameter %2.", CORRECT),
    template("ActionParameterValueNotInList", WARNING, "sss", "The value '%1' for the parameter %2 in the action %3 is not in the list of acceptable values.", CORRECT),
    template("ActionParameterValueTypeError", WARNING, "sss", "The value '%1' for the parameter %2 in the action %3 is of a different type than the parameter can accept.", CORRECT),
    template("MalformedJSON", CRITICAL, "", "The request body submitted was malformed JSON and could not be parsed by the receiving service.", "Ensure that the request body is valid JSON and resubmit the request."),
    template("UnrecognizedRequestBody", WARNING, "", "The service detected a malformed request body that it was unable to interpret.", CORRECT),
    template("EmptyJSON", WARNING, "", "The request body submitted contained an empty JSON object and the service is unable to process it.", CORRECT),
    template("NoOperation", WARNING, "", "The request body submitted contain no data to act upon and no changes to the resource took place.", "Add properties in the JSON object and resubmit the request."),
    template("PropertyMissing", WARNING, "s", "The property %1 is a required property and must be included in the request.", CORRECT),
    template("PropertyUnknown", WARNING, "s", "The property %1 is not in the list of valid properties for the resource.", CORRECT),
    template("PropertyNotWritable", WARNING, "s", "The property %1 is a read-only property and cannot be assigned a value.", CORRECT),
    template("PropertyValueTypeError", WARNING, "ss", "The value '%1' for the property %2 is not a type that the property can accept.", CORRECT),
    template("PropertyValueNotInList", WARNING, "ss", "The value '%1' for the property %2 is not in the list of acceptable values.", CORRECT),
    template("PropertyValueOutOfRange", WARNING, "ss", "The value '%1' for the property %2 is not in the supported range of acceptable values.", CORRECT),
    template("PropertyValueFormatError", WARNING, "ss", "The value '%1' for the property %2 is not a format that the property can accept.", CORRECT),
    template("ResourceAlreadyExists", CRITICAL, "sss", "The requested resource of type %1 with the property %2 with the value '%3' already exists.", "Use another value."),
    template("CreateLimitReachedForResource", CRITICAL, "", "The create operation failed because the resource has reached the limit of possible resources.", "Delete resources and resubmit the request."),
    template("ResourceInUse", WARNING, "", "The change to the requested resource failed because the resource is in use or in transition.", "Remove the condition and resubmit the request if the operation failed."),
    template("ServiceTemporarilyUnavailable", CRITICAL, "s", "The service is temporarily unavailable. Retry in %1 seconds.", "Wait for the indicated retry duration and retry the operation."),
    template("PreconditionFailed", CRITICAL, "", "The ETag supplied did not match the current ETag of the resource.", "Get the resource again, and use its current ETag."),
    template("HeaderInvalid", CRITICAL, "s", "Header '%1' is invalid.", "Correct the header and resubmit the request."),
    template("QueryNotSupported", WARNING, "", "Querying is not supported by the implementation.", "Remove the query parameters and resubmit the request if the operation failed."),
    template("QueryNotSupportedOnResource", WARNING, "", "Querying is not supported on the requested resource.", "Remove the query parameters and resubmit the request if the operation failed."),
    template("QueryParameterValueFormatError", WARNING, "ss", "The value '%1' for the query parameter %2 is not a format that the parameter can accept.", "Correct the query parameter and resubmit the request."),
    template("PayloadTooLarge", CRITICAL, "", "The supplied payload exceeds the maximum size supported by the service.", "Use a smaller body."),
];

#[rustfmt::skip]
const ENVIRONMENTAL: &[Template] = &[
    template("TemperatureAboveUpperCautionThreshold", WARNING, "snn", "Temperature '%1' reading of %2 degrees (C) is above the %3 upper caution threshold.", LOOK),
    template("TemperatureAboveUpperCriticalThreshold", CRITICAL, "snn", "Temperature '%1' reading of %2 degrees (C) is above the %3 upper critical threshold.", LOOK),
    template("TemperatureAboveUpperFatalThreshold", CRITICAL, "snn", "Temperature '%1' reading of %2 degrees (C) is above the %3 upper fatal threshold.", LOOK),
    template("TemperatureNormal", OK, "sn", "Temperature '%1' reading of %2 degrees (C) is within normal operating range.", NONE),
];

#[rustfmt::skip]
const PLATFORM: &[Template] = &[
    template("PowerBrake", WARNING, "s", "A power brake is applied to '%1'.", LOOK),
];

#[rustfmt::skip]
const POWER: &[Template] = &[
    template("BreakerReset", OK, "s", "Breaker '%1' reset.", NONE),
    template("BreakerTripped", CRITICAL, "s", "Breaker '%1' has tripped.", "Check the circuit connections, breaker rating, and power requirements."),
    template("CircuitPoweredOff", OK, "s", "Circuit '%1' powered off.", NONE),
    template("CircuitPoweredOn", OK, "s", "Circuit '%1' powered on.", NONE),
    template("LineInputPowerFault", WARNING, "s", "Line input power fault at '%1'.", "Check the electrical power input and connections."),
    template("LineInputPowerRestored", OK, "s", "Line input power at '%1' was restored.", NONE),
    template("LossOfInputPower", WARNING, "s", "Loss of input power at '%1'.", "Check the electrical power input and connections."),
    template("OutletPoweredOff", OK, "s", "Outlet '%1' powered off.", NONE),
    template("OutletPoweredOn", OK, "s", "Outlet '%1' powered on.", NONE),
    template("PowerSupplyFailed", WARNING, "s", "Power supply '%1' has failed.", "Check the power supply hardware and replace any faulty component."),
    template("PowerSupplyRestored", OK, "s", "Power supply '%1' was restored.", NONE),
    template("VoltageBelowLowerCriticalThreshold", CRITICAL, "snn", "Voltage '%1' reading of %2 volts is below the %3 lower critical threshold.", LOOK),
    template("VoltageNormal", OK, "sn", "Voltage '%1' reading of %2 volts is within normal operating range.", NONE),
];

#[rustfmt::skip]
const RESOURCE_EVENT: &[Template] = &[
    template("ResourceChanged", OK, "", "One or more resource properties have changed.", NONE),
    template("ResourcePoweredOff", OK, "s", "The resource '%1' has powered off.", NONE),
    template("ResourcePoweredOn", OK, "s", "The resource '%1' has powered on.", NONE),
    template("ResourceStatusChangedCritical", CRITICAL, "ss", "The health of resource '%1' has changed to %2.", LOOK),
    template("ResourceStatusChangedOK", OK, "ss", "The health of resource '%1' has changed to %2.", NONE),
    template("ResourceStatusChangedWarning", WARNING, "ss", "The health of resource '%1' has changed to %2.", LOOK),
    template("TestMessage", OK, "", "A test message.", NONE),
];

/// A message with its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    /// `Power.1.2.OutletPoweredOff`.
    pub(super) id: String,
    pub(super) text: String,
    pub(super) arguments: Vec<String>,
    pub(super) severity: String,
    pub(super) resolution: &'static str,
    /// The properties of the request that it is about.
    pub(super) related: Vec<String>,
}

impl Registry {
    /// `Power.1.2`: a message's id carries no patch version.
    pub(super) fn stem(&self) -> String {
        let mut parts = self.version.split('.');
        let (major, minor) = (parts.next(), parts.next());
        format!(
            "{}.{}.{}",
            self.prefix,
            major.unwrap_or_default(),
            minor.unwrap_or_default()
        )
    }

    /// As `MessageRegistry` describes it.
    pub(super) fn document(&self) -> Json {
        let messages = self.messages.iter().map(|t| {
            let kinds = t.arguments.bytes();
            let kinds: Vec<&str> = kinds
                .map(|kind| if kind == b'n' { "number" } else { "string" })
                .collect();
            let body = json!({
                "Description": t.text,
                "LongDescription": format!("This message shall say: {}", t.text),
                "Message": t.text,
                "MessageSeverity": t.severity,
                "NumberOfArgs": kinds.len(),
                "ParamTypes": kinds,
                "Resolution": t.resolution,
            });
            (t.key.to_string(), body)
        });
        json!({
            "@odata.type": super::kinds::typed("MessageRegistry"),
            "Id": format!("{}.{}", self.prefix, self.version),
            "Name": format!("{} Message Registry", self.prefix),
            "Language": "en",
            "Description": "The messages of this registry that this service uses.",
            "RegistryPrefix": self.prefix,
            "RegistryVersion": self.version,
            "OwningEntity": "DMTF",
            "Messages": messages.collect::<serde_json::Map<_, _>>(),
        })
    }
}

/// The template of this name.
pub(super) fn find(prefix: &str, key: &str) -> Option<(&'static Registry, &'static Template)> {
    let registry = REGISTRIES.iter().find(|r| r.prefix == prefix)?;
    let template = registry.messages.iter().find(|t| t.key == key)?;
    Some((registry, template))
}

impl Message {
    /// A message by prefix and key; what is not in the tables is a general error.
    pub(super) fn new(prefix: &str, key: &str, arguments: &[&str]) -> Self {
        let (registry, template) =
            find(prefix, key).unwrap_or((&REGISTRIES[0], &REGISTRIES[0].messages[1]));
        let mut text = template.text.to_string();
        for (index, argument) in arguments.iter().enumerate() {
            text = text.replace(&format!("%{}", index + 1), argument);
        }
        Self {
            id: format!("{}.{}", registry.stem(), template.key),
            text,
            arguments: arguments.iter().map(ToString::to_string).collect(),
            severity: template.severity.into(),
            resolution: template.resolution,
            related: Vec::new(),
        }
    }

    /// Says which property of the request it is about, as `A/B`.
    pub(super) fn about(mut self, property: &str) -> Self {
        self.related.push(format!("#/{property}"));
        self
    }

    /// The registry's prefix.
    pub(super) fn prefix(&self) -> &str {
        self.id.split('.').next().unwrap_or_default()
    }

    /// As an entry of `@Message.ExtendedInfo`.
    pub(super) fn document(&self) -> Json {
        let mut document = json!({
            "@odata.type": super::kinds::typed("Message"),
            "MessageId": self.id,
            "Message": self.text,
            "MessageArgs": self.arguments,
            "MessageSeverity": self.severity,
            "Severity": self.severity,
            "Resolution": self.resolution,
        });
        if !self.related.is_empty() {
            document["RelatedProperties"] = self.related.clone().into();
        }
        document
    }
}
