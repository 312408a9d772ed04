using System.Text.RegularExpressions;
using MongoDB.Bson;
using Platform.Gateway.Corrections;

namespace Platform.Gateway.Commands.Writes;

/// <summary>
/// Says which rules of a JSON schema a document breaks, in the form of the server's <c>errInfo.details</c>
/// (https://www.mongodb.com/docs/v7.0/core/schema-validation/handle-invalid-documents/). It does not decide anything: the backend did.
/// </summary>
internal static class JsonSchemaFailure
{
    private static readonly TimeSpan s_patternTimeout = TimeSpan.FromMilliseconds(50);

    /// <summary>The broken rules; empty when the value conforms.</summary>
    public static BsonArray Rules(BsonDocument schema, BsonValue value)
    {
        var rules = new BsonArray();
        foreach (var (name, argument) in schema.Select(e => (e.Name, e.Value)))
        {
            if (Rule(schema, name, argument, value) is { } rule)
            {
                rules.Add(rule);
            }
        }

        return rules;
    }

    private static BsonDocument? Rule(BsonDocument schema, string name, BsonValue argument, BsonValue value)
    {
        switch (name)
        {
            case "bsonType" or "type":
                return JsonSchemaExpression.Types(argument).Contains(TypeName(value)) ? null : new BsonDocument
                {
                    { "operatorName", name }, { "specifiedAs", new BsonDocument(name, argument) }, { "reason", "type did not match" },
                    { "consideredValue", value }, { "consideredType", TypeName(value) },
                };
            case "enum":
                return argument.AsBsonArray.Contains(value) ? null : Reason(name, argument, "value was not found in enum", value);
            case "minimum" when value.IsNumeric:
                return Compare(value, argument) is var least && (least > 0 || (least == 0 && !IsTrue(schema, "exclusiveMinimum")))
                    ? null : Reason(name, argument, "comparison failed", value);
            case "maximum" when value.IsNumeric:
                return Compare(value, argument) is var most && (most < 0 || (most == 0 && !IsTrue(schema, "exclusiveMaximum")))
                    ? null : Reason(name, argument, "comparison failed", value);
            case "multipleOf" when value.IsNumeric:
                return IsMultiple(value.ToDouble(), argument.ToDouble())
                    ? null : Reason(name, argument, "considered value is not a multiple of the specified value", value);
            case "minLength" when value is BsonString text:
                return text.Value.EnumerateRunes().Count() >= argument.ToInt64()
                    ? null
                    : Reason(name, argument, "specified string length was not satisfied", value);
            case "maxLength" when value is BsonString text:
                return text.Value.EnumerateRunes().Count() <= argument.ToInt64()
                    ? null
                    : Reason(name, argument, "specified string length was not satisfied", value);
            case "pattern" when value is BsonString text:
                return Matches(text.Value, argument.AsString) ? null : Reason(name, argument, "regular expression did not match", value);
            case "required" when value is BsonDocument document:
                var missing = argument.AsBsonArray.Where(field => !document.Contains(field.AsString)).ToList();
                return missing.Count == 0 ? null : new BsonDocument
                {
                    { "operatorName", name }, { "specifiedAs", new BsonDocument(name, argument) }, { "missingProperties", new BsonArray(missing) },
                };
            case "properties" when value is BsonDocument document:
                return Properties(argument.AsBsonDocument, document);
            case "patternProperties" when value is BsonDocument document:
                return PatternProperties(argument.AsBsonDocument, document);
            case "additionalProperties" when value is BsonDocument document && argument != true:
                return AdditionalProperties(schema, argument, document);
            case "minProperties" when value is BsonDocument document:
                return document.ElementCount >= argument.ToInt64()
                    ? null
                    : Count(name, argument, "specified number of properties was not satisfied", document.ElementCount);
            case "maxProperties" when value is BsonDocument document:
                return document.ElementCount <= argument.ToInt64()
                    ? null
                    : Count(name, argument, "specified number of properties was not satisfied", document.ElementCount);
            case "dependencies" when value is BsonDocument document:
                return Dependencies(argument.AsBsonDocument, document);
            case "minItems" when value is BsonArray array:
                return array.Count >= argument.ToInt64() ? null : Count(name, argument, "array did not match specified length", array.Count);
            case "maxItems" when value is BsonArray array:
                return array.Count <= argument.ToInt64() ? null : Count(name, argument, "array did not match specified length", array.Count);
            case "uniqueItems" when value is BsonArray array && argument.ToBoolean():
                return Repeated(array) is { } twice
                    ? new BsonDocument
                    {
                        { "operatorName", name }, { "specifiedAs", new BsonDocument(name, argument) }, { "reason", "found a duplicate item" },
                        { "consideredValue", array }, { "duplicatedValue", twice },
                    }
                    : null;
            case "items" when value is BsonArray array:
                return Items(argument, array);
            case "additionalItems" when value is BsonArray array && schema.GetValue("items", BsonNull.Value) is BsonArray listed && array.Count > listed.Count:
                if (argument is BsonDocument additional)
                {
                    return FirstItem(name, array, listed.Count, _ => additional);
                }

                return argument.ToBoolean() ? null : new BsonDocument
                {
                    { "operatorName", name }, { "specifiedAs", new BsonDocument(name, argument) }, { "reason", "found additional items" },
                    { "additionalItems", new BsonArray(array.Skip(listed.Count)) },
                };
            case "allOf":
                var unsatisfied = Numbered(argument, value);
                return unsatisfied.Count == 0 ? null : new BsonDocument { { "operatorName", name }, { "schemasNotSatisfied", unsatisfied } };
            case "anyOf":
                var none = Numbered(argument, value);
                return none.Count < argument.AsBsonArray.Count ? null : new BsonDocument { { "operatorName", name }, { "schemasNotSatisfied", none } };
            case "oneOf":
                var failed = Numbered(argument, value);
                var satisfied = argument.AsBsonArray.Count - failed.Count;
                return satisfied switch
                {
                    1 => null,
                    0 => new BsonDocument { { "operatorName", name }, { "schemasNotSatisfied", failed } },
                    _ => new BsonDocument
                    {
                        { "operatorName", name }, { "reason", "more than one subschema matched" },
                        {
                            "matchingSchemaIndexes",
                            new BsonArray(Enumerable.Range(0, argument.AsBsonArray.Count).Where(i => failed.All(f => f["index"] != i)))
                        },
                    },
                };
            case "not":
                return Rules(argument.AsBsonDocument, value).Count > 0
                    ? null : new BsonDocument { { "operatorName", name }, { "reason", "child expression matched" } };
            default:
                return null;
        }
    }

    private static BsonDocument? Properties(BsonDocument properties, BsonDocument document)
    {
        var broken = new BsonArray();
        foreach (var property in properties)
        {
            if (document.TryGetValue(property.Name, out var value) && Rules(property.Value.AsBsonDocument, value) is { Count: > 0 } details)
            {
                broken.Add(Named(property.Name, property.Value.AsBsonDocument, details));
            }
        }

        return broken.Count == 0 ? null : new BsonDocument { { "operatorName", "properties" }, { "propertiesNotSatisfied", broken } };
    }

    private static BsonDocument? PatternProperties(BsonDocument patterns, BsonDocument document)
    {
        var broken = new BsonArray();
        foreach (var pattern in patterns)
        {
            foreach (var field in document.Where(f => Matches(f.Name, pattern.Name)))
            {
                if (Rules(pattern.Value.AsBsonDocument, field.Value) is { Count: > 0 } details)
                {
                    var entry = Named(field.Name, pattern.Value.AsBsonDocument, details);
                    entry.InsertAt(1, new BsonElement("regexMatched", pattern.Name));
                    broken.Add(entry);
                }
            }
        }

        return broken.Count == 0 ? null : new BsonDocument
        {
            { "operatorName", "patternProperties" }, { "specifiedAs", new BsonDocument("patternProperties", patterns) }, { "details", broken },
        };
    }

    private static BsonDocument? AdditionalProperties(BsonDocument schema, BsonValue argument, BsonDocument document)
    {
        var known = schema.GetValue("properties", new BsonDocument()).AsBsonDocument;
        var patterns = schema.GetValue("patternProperties", new BsonDocument()).AsBsonDocument;
        var additional = document.Where(f => !known.Contains(f.Name) && !patterns.Names.Any(p => Matches(f.Name, p))).ToList();
        if (argument is not BsonDocument fits)
        {
            return additional.Count == 0 ? null : new BsonDocument
            {
                { "operatorName", "additionalProperties" }, { "specifiedAs", new BsonDocument("additionalProperties", argument) },
                { "additionalProperties", new BsonArray(additional.Select(f => f.Name)) },
            };
        }

        foreach (var field in additional)
        {
            if (Rules(fits, field.Value) is { Count: > 0 } details)
            {
                return new BsonDocument
                {
                    { "operatorName", "additionalProperties" }, { "reason", "at least one additional property did not match the subschema" },
                    { "failingProperty", field.Name }, { "details", details },
                };
            }
        }

        return null;
    }

    private static BsonDocument? Dependencies(BsonDocument dependencies, BsonDocument document)
    {
        var broken = new BsonArray();
        foreach (var dependency in dependencies.Where(d => document.Contains(d.Name)))
        {
            if (dependency.Value is BsonArray needed)
            {
                var missing = needed.Where(field => !document.Contains(field.AsString)).ToList();
                if (missing.Count > 0)
                {
                    broken.Add(new BsonDocument { { "conditionalProperty", dependency.Name }, { "missingProperties", new BsonArray(missing) } });
                }
            }
            else if (Rules(dependency.Value.AsBsonDocument, document) is { Count: > 0 } details)
            {
                broken.Add(new BsonDocument { { "conditionalProperty", dependency.Name }, { "details", details } });
            }
        }

        return broken.Count == 0 ? null : new BsonDocument { { "operatorName", "dependencies" }, { "failingDependencies", broken } };
    }

    private static BsonDocument? Items(BsonValue items, BsonArray array) => items is BsonArray positions
        ? FirstItem("items", array, 0, i => i < positions.Count ? positions[i].AsBsonDocument : null)
        : FirstItem("items", array, 0, _ => items.AsBsonDocument);

    private static BsonDocument? FirstItem(string name, BsonArray array, int from, Func<int, BsonDocument?> schemaOf)
    {
        for (var i = from; i < array.Count; i++)
        {
            if (schemaOf(i) is { } schema && Rules(schema, array[i]) is { Count: > 0 } details)
            {
                return new BsonDocument
                {
                    { "operatorName", name }, { "reason", "At least one item did not match the sub-schema" }, { "itemIndex", i }, { "details", details },
                };
            }
        }

        return null;
    }

    private static BsonDocument Named(string name, BsonDocument schema, BsonArray details)
    {
        var entry = new BsonDocument("propertyName", name);
        foreach (var annotation in (ReadOnlySpan<string>)["title", "description"])
        {
            if (schema.TryGetValue(annotation, out var text))
            {
                entry.Add(annotation, text);
            }
        }

        entry.Add("details", details);
        return entry;
    }

    private static BsonArray Numbered(BsonValue schemas, BsonValue value)
    {
        var failed = new BsonArray();
        for (var i = 0; i < schemas.AsBsonArray.Count; i++)
        {
            if (Rules(schemas[i].AsBsonDocument, value) is { Count: > 0 } details)
            {
                failed.Add(new BsonDocument { { "index", i }, { "details", details } });
            }
        }

        return failed;
    }

    private static BsonDocument Reason(string name, BsonValue argument, string reason, BsonValue considered) => new()
    {
        { "operatorName", name }, { "specifiedAs", new BsonDocument(name, argument) }, { "reason", reason }, { "consideredValue", considered },
    };

    private static BsonDocument Count(string name, BsonValue argument, string reason, int count) => new()
    {
        { "operatorName", name }, { "specifiedAs", new BsonDocument(name, argument) }, { "reason", reason }, { "numberOfItems", count },
    };

    // Decimal arithmetic, because 0.3 is no multiple of 0.1 in binary.
    private static bool IsMultiple(double value, double of) => Math.Abs(value) < 1e27 && Math.Abs(of) is > 1e-27 and < 1e27
        ? (decimal)value % (decimal)of == 0
        : value % of == 0;

    private static int Compare(BsonValue value, BsonValue limit) => value.CompareTo(limit);

    private static BsonValue? Repeated(BsonArray array)
    {
        var seen = new HashSet<BsonValue>();
        return array.FirstOrDefault(item => !seen.Add(item));
    }

    private static bool Matches(string text, string pattern)
    {
        try
        {
            return Regex.IsMatch(text, pattern, RegexOptions.CultureInvariant, s_patternTimeout);
        }
        catch (Exception e) when (e is ArgumentException or RegexMatchTimeoutException)
        {
            // A pattern of another dialect, or one that takes too long: it is not said to be the one that failed.
            return true;
        }
    }

    private static bool IsTrue(BsonDocument schema, string keyword) => schema.TryGetValue(keyword, out var value) && value.ToBoolean();

    private static BsonValue TypeName(BsonValue value) => value.BsonType switch
    {
        BsonType.Document => "object",
        BsonType.Binary => "binData",
        BsonType.ObjectId => "objectId",
        BsonType.Boolean => "bool",
        BsonType.DateTime => "date",
        BsonType.RegularExpression => "regex",
        BsonType.JavaScript => "javascript",
        BsonType.JavaScriptWithScope => "javascriptWithScope",
        BsonType.Int32 => "int",
        BsonType.Int64 => "long",
        BsonType.Decimal128 => "decimal",
        BsonType.MinKey => "minKey",
        BsonType.MaxKey => "maxKey",
        var other => other.ToString().ToLowerInvariant(),
    };
}
