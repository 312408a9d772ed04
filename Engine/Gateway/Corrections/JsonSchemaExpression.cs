using MongoDB.Bson;
using Platform.Gateway.Errors;

namespace Platform.Gateway.Corrections;

/// <summary>
/// A JSON schema as an aggregation expression over the document: true when it conforms. Every keyword that the server knows has one.
/// A part of <see cref="FilterCorrection"/>, with which it may go.
/// </summary>
internal static class JsonSchemaExpression
{
    private static readonly string[] s_numbers = ["int", "long", "double", "decimal"];

    /// <summary>The expression over <c>$$ROOT</c>.</summary>
    public static BsonValue Of(BsonDocument schema)
    {
        var variables = 0;
        return Of(schema, "$$ROOT", ref variables);
    }

    private static BsonValue Of(BsonDocument schema, BsonValue value, ref int variables)
    {
        var conditions = new List<BsonValue>();
        var ofObject = new List<BsonValue>();
        var ofArray = new List<BsonValue>();
        var ofString = new List<BsonValue>();
        var ofNumber = new List<BsonValue>();
        // The backend evaluates both branches of a condition, and some of its operators fail on values of another type: they get one of theirs.
        var isObject = Op("$eq", TypeOf(value), "object");
        var isArray = new BsonDocument("$isArray", new BsonArray { value });
        var isString = Op("$eq", TypeOf(value), "string");
        var isNumber = Op("$in", TypeOf(value), new BsonArray(s_numbers));
        var fields = new BsonDocument("$objectToArray", Op("$cond", isObject, value, Literal(new BsonDocument())));
        var items = Op("$cond", isArray, value, new BsonArray());
        var text = Op("$cond", isString, value, "");
        foreach (var (name, argument) in schema.Select(e => (e.Name, e.Value)))
        {
            switch (name)
            {
                case "bsonType" or "type":
                    conditions.Add(Op("$in", TypeOf(value), new BsonArray(Types(argument))));
                    break;
                case "enum":
                    conditions.Add(Op("$in", value, Literal(argument)));
                    break;
                case "minimum":
                    ofNumber.Add(Op(IsTrue(schema, "exclusiveMinimum") ? "$gt" : "$gte", value, argument));
                    break;
                case "maximum":
                    ofNumber.Add(Op(IsTrue(schema, "exclusiveMaximum") ? "$lt" : "$lte", value, argument));
                    break;
                case "multipleOf":
                    ofNumber.Add(Op("$eq", Op("$mod", Op("$cond", isNumber, value, 0), argument), 0));
                    break;
                case "minLength":
                    ofString.Add(Op("$gte", new BsonDocument("$strLenCP", text), argument));
                    break;
                case "maxLength":
                    ofString.Add(Op("$lte", new BsonDocument("$strLenCP", text), argument));
                    break;
                case "pattern":
                    ofString.Add(Matches(text, argument));
                    break;
                case "required":
                    ofObject.AddRange(argument.AsBsonArray.Select(field => IsPresent(Field(value, field.AsString))));
                    break;
                case "properties":
                    foreach (var property in argument.AsBsonDocument)
                    {
                        var field = Field(value, property.Name);
                        if (property.Value.AsBsonDocument.ElementCount > 0)
                        {
                            ofObject.Add(Op("$or", Op("$eq", TypeOf(field), "missing"), Of(property.Value.AsBsonDocument, field, ref variables)));
                        }
                    }

                    break;
                case "minProperties":
                    ofObject.Add(Op("$gte", new BsonDocument("$size", fields), argument));
                    break;
                case "maxProperties":
                    ofObject.Add(Op("$lte", new BsonDocument("$size", fields), argument));
                    break;
                case "dependencies":
                    foreach (var dependency in argument.AsBsonDocument)
                    {
                        var absent = Op("$eq", TypeOf(Field(value, dependency.Name)), "missing");
                        var needed = dependency.Value is BsonDocument conditional
                            ? Of(conditional, value, ref variables)
                            : And(dependency.Value.AsBsonArray.Select(field => IsPresent(Field(value, field.AsString))));
                        ofObject.Add(Op("$or", absent, needed));
                    }

                    break;
                case "minItems":
                    ofArray.Add(Op("$gte", new BsonDocument("$size", items), argument));
                    break;
                case "maxItems":
                    ofArray.Add(Op("$lte", new BsonDocument("$size", items), argument));
                    break;
                case "uniqueItems":
                    if (argument.ToBoolean())
                    {
                        ofArray.Add(Op("$eq", new BsonDocument("$size", Op("$setUnion", items, new BsonArray())), new BsonDocument("$size", items)));
                    }

                    break;
                case "items" when argument is BsonDocument every:
                    ofArray.Add(Every(items, every, ref variables));
                    break;
                case "items":
                    var positions = argument.AsBsonArray;
                    for (var i = 0; i < positions.Count; i++)
                    {
                        if (positions[i].AsBsonDocument.ElementCount > 0)
                        {
                            ofArray.Add(Op(
                                "$or",
                                Op("$lte", new BsonDocument("$size", items), i),
                                Of(positions[i].AsBsonDocument, Op("$arrayElemAt", items, i), ref variables)));
                        }
                    }

                    break;
                case "additionalItems" when schema.GetValue("items", BsonNull.Value) is BsonArray listed:
                    var more = Op("$gt", new BsonDocument("$size", items), listed.Count);
                    if (argument is BsonDocument additional)
                    {
                        var rest = Op("$slice", items, listed.Count, Op("$max", 1, new BsonDocument("$size", items)));
                        ofArray.Add(Op("$or", new BsonDocument("$not", new BsonArray { more }), Every(rest, additional, ref variables)));
                    }
                    else if (!argument.ToBoolean())
                    {
                        ofArray.Add(new BsonDocument("$not", new BsonArray { more }));
                    }

                    break;
                case "allOf":
                    foreach (var part in argument.AsBsonArray)
                    {
                        conditions.Add(Of(part.AsBsonDocument, value, ref variables));
                    }

                    break;
                case "anyOf":
                    conditions.Add(new BsonDocument("$or", Each(argument, value, ref variables)));
                    break;
                case "oneOf":
                    var holding = new BsonArray(Each(argument, value, ref variables).Select(condition => Op("$cond", condition, 1, 0)));
                    conditions.Add(Op("$eq", new BsonDocument("$sum", new BsonArray { holding }), 1));
                    break;
                case "not":
                    conditions.Add(new BsonDocument("$not", new BsonArray { Of(argument.AsBsonDocument, value, ref variables) }));
                    break;
                case "patternProperties" or "additionalProperties" or "additionalItems" or "exclusiveMinimum" or "exclusiveMaximum" or "title" or "description"
                    or "encrypt" or "encryptMetadata":
                    break;
                default:
                    throw new CommandException(ErrorCode.FailedToParse, $"Unknown $jsonSchema keyword: {name}");
            }
        }

        if (schema.Contains("patternProperties") || schema.Contains("additionalProperties"))
        {
            ofObject.Add(EveryField(schema, fields, ref variables));
        }

        Guard(ofObject, isObject);
        Guard(ofArray, isArray);
        Guard(ofString, isString);
        Guard(ofNumber, isNumber);
        return And(conditions);

        // A keyword says nothing about values of other types; and the expressions would fail on them.
        void Guard(List<BsonValue> guarded, BsonValue applies)
        {
            if (guarded.Count > 0)
            {
                conditions.Add(Op("$cond", applies, And(guarded), true));
            }
        }
    }

    /// <summary>Every field of the object fits the patterns that its name matches, or else the schema of additional ones.</summary>
    private static BsonDocument EveryField(BsonDocument schema, BsonValue fields, ref int variables)
    {
        var variable = $"f{variables++}";
        var (key, content) = ((BsonValue)$"$${variable}.k", (BsonValue)$"$${variable}.v");
        var patterns = schema.GetValue("patternProperties", new BsonDocument()).AsBsonDocument;
        var conditions = new List<BsonValue>();
        foreach (var pattern in patterns.Where(p => p.Value.AsBsonDocument.ElementCount > 0))
        {
            conditions.Add(Op(
                "$or", new BsonDocument("$not", new BsonArray { Matches(key, pattern.Name) }), Of(pattern.Value.AsBsonDocument, content, ref variables)));
        }

        var additional = schema.GetValue("additionalProperties", true);
        if (additional != true)
        {
            var names = schema.GetValue("properties", new BsonDocument()).AsBsonDocument.Names;
            var known = new List<BsonValue> { Op("$in", key, Literal(new BsonArray(names))) };
            known.AddRange(patterns.Names.Select(pattern => Matches(key, pattern)));
            if (additional is BsonDocument fits)
            {
                known.Add(Of(fits, content, ref variables));
            }

            conditions.Add(known is [var only] ? only : new BsonDocument("$or", new BsonArray(known)));
        }

        return All(fields, variable, And(conditions));
    }

    private static BsonDocument Every(BsonValue array, BsonDocument schema, ref int variables)
    {
        var variable = $"i{variables++}";
        return All(array, variable, Of(schema, $"$${variable}", ref variables));
    }

    private static BsonDocument All(BsonValue array, string variable, BsonValue condition) =>
        new("$allElementsTrue", new BsonArray
        {
            new BsonDocument("$map", new BsonDocument { { "input", array }, { "as", variable }, { "in", condition } }),
        });

    private static BsonArray Each(BsonValue schemas, BsonValue value, ref int variables)
    {
        var each = new BsonArray();
        foreach (var schema in schemas.AsBsonArray)
        {
            each.Add(Of(schema.AsBsonDocument, value, ref variables));
        }

        return each;
    }

    private static BsonValue Field(BsonValue value, string name) =>
        value is BsonString path && name.Length > 0 && !name.Contains('.', StringComparison.Ordinal) && name[0] != '$'
            ? $"{path.Value}.{name}"
            : new BsonDocument("$getField", new BsonDocument { { "field", Literal(name) }, { "input", value } });

    private static BsonDocument TypeOf(BsonValue value) => new("$type", value);

    private static BsonDocument IsPresent(BsonValue value) => Op("$ne", TypeOf(value), "missing");

    private static BsonDocument Matches(BsonValue text, BsonValue pattern) =>
        new("$regexMatch", new BsonDocument { { "input", text }, { "regex", Literal(pattern) } });

    private static BsonDocument Literal(BsonValue value) => new("$literal", value);

    private static BsonDocument Op(string name, params BsonValue[] arguments) => new(name, new BsonArray(arguments));

    private static BsonValue And(IEnumerable<BsonValue> conditions) => conditions.ToList() switch
    {
        [] => true,
        [var only] => only,
        var several => new BsonDocument("$and", new BsonArray(several)),
    };

    private static bool IsTrue(BsonDocument schema, string keyword) => schema.TryGetValue(keyword, out var value) && value.ToBoolean();

    /// <summary>The names that the operator <c>$type</c> gives.</summary>
    internal static IEnumerable<BsonValue> Types(BsonValue types) => (types is BsonArray list ? list : [types]).SelectMany(type => type.AsString switch
    {
        "number" => s_numbers,
        "boolean" => ["bool"],
        var name => (IEnumerable<string>)[name],
    }).Select(name => (BsonValue)name);
}
