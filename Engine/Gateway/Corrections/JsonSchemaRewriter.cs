using MongoDB.Bson;
using Platform.Gateway.Errors;

namespace Platform.Gateway.Corrections;

/// <summary>
/// Rewrites <c>$jsonSchema</c> into what the backend knows, keeping its meaning
/// (https://www.mongodb.com/docs/v7.0/reference/operator/query/jsonSchema/). A part of <see cref="FilterCorrection"/>, with which it may go.
/// </summary>
/// <remarks>
/// <para>
/// The backend has <c>oneOf</c> of the combining keywords only. That is enough: <c>{}</c> accepts everything, so
/// <c>oneOf: [{}, A, B]</c> accepts what neither A nor B accepts, and from "neither" follow <c>not</c>, <c>anyOf</c> and <c>allOf</c>.
/// </para>
/// <para>
/// The keywords that look at all fields of a document (additionalProperties, patternProperties, minProperties, maxProperties,
/// dependencies) become an aggregation expression beside the schema; see <see cref="JsonSchemaExpression"/>.
/// </para>
/// </remarks>
internal static class JsonSchemaRewriter
{
    private const int MaxDepth = 100;
    private static readonly string[] s_numbers = ["int", "long", "double", "decimal"];

    /// <summary>Whether a command or validator may contain a schema.</summary>
    public static bool MayHaveSchema(ReadOnlySpan<byte> bytes) => bytes.IndexOf("$jsonSchema"u8) >= 0;

    /// <summary>
    /// A filter or validator with each of its schemas rewritten; the same object when none needs it. What has no equal form is left
    /// out and said in <paramref name="warnings"/>. Throws <see cref="CommandException"/> for a schema that the server refuses.
    /// </summary>
    public static BsonDocument Filter(BsonDocument filter, ICollection<string> warnings) =>
        Rewrite(filter, warnings, 0) is BsonDocument rewritten ? rewritten : filter;

    /// <summary>Whether two documents have the same elements, to tell a rewritten filter from an untouched one.</summary>
    public static bool Changed(BsonDocument given, BsonDocument rewritten) => !ReferenceEquals(given, rewritten) && !given.Equals(rewritten);

    /// <summary>
    /// Splits a schema into one that the backend takes and one that only an expression can check; the latter is empty when the
    /// former says everything.
    /// </summary>
    public static (BsonDocument Native, BsonDocument Residual) Split(BsonDocument schema, ICollection<string> warnings) => Split(schema, warnings, 0);

    private static BsonValue Rewrite(BsonValue value, ICollection<string> warnings, int depth)
    {
        if (depth > MaxDepth)
        {
            throw new CommandException(ErrorCode.FailedToParse, "The filter nests too deep.");
        }

        switch (value)
        {
            case BsonArray array:
                return new BsonArray(array.Select(v => Rewrite(v, warnings, depth + 1)));
            case BsonDocument document:
                var result = new BsonDocument { AllowDuplicateNames = true };
                BsonArray? beside = null;
                foreach (var element in document)
                {
                    if (element.Name != "$jsonSchema" || element.Value is not BsonDocument schema)
                    {
                        result.Add(element.Name, Rewrite(element.Value, warnings, depth + 1));
                        continue;
                    }

                    var (native, residual) = Split(schema, warnings, 0);
                    if (native.ElementCount > 0 || residual.ElementCount == 0)
                    {
                        result.Add("$jsonSchema", native);
                    }

                    if (residual.ElementCount > 0)
                    {
                        (beside ??= []).Add(new BsonDocument("$expr", JsonSchemaExpression.Of(residual)));
                    }
                }

                if (beside is not null)
                {
                    if (result.TryGetValue("$and", out var and) && and is BsonArray clauses)
                    {
                        clauses.AddRange(beside);
                    }
                    else
                    {
                        result.Add("$and", beside);
                    }
                }

                return result;
            default:
                return value;
        }
    }

    private static (BsonDocument Native, BsonDocument Residual) Split(BsonDocument schema, ICollection<string> warnings, int depth)
    {
        if (depth > MaxDepth)
        {
            throw new CommandException(ErrorCode.FailedToParse, "The $jsonSchema nests too deep.");
        }

        var native = new BsonDocument();
        var residual = new BsonDocument();
        // Each of these must hold: an element with a schema of its own.
        var all = new List<BsonDocument>();
        foreach (var (name, value) in schema.Select(e => (e.Name, e.Value)))
        {
            switch (name)
            {
                case "title" or "description":
                    Require<BsonString>(name, value, "a string");
                    break;
                case "bsonType":
                    native.Add(name, WithoutNumber(value));
                    break;
                case "encryptMetadata":
                    warnings.Add("$jsonSchema keyword 'encryptMetadata' is left out: there is no client-side encryption schema here.");
                    break;
                case "additionalProperties":
                    if (value is not (BsonBoolean or BsonDocument))
                    {
                        throw Wrong(name, "an object or a boolean");
                    }

                    if (value is not BsonBoolean { Value: true })
                    {
                        residual[name] = value;
                    }

                    break;
                case "patternProperties" or "dependencies":
                    if (Require<BsonDocument>(name, value, "an object").ElementCount > 0)
                    {
                        residual[name] = value;
                    }

                    break;
                case "minProperties" or "maxProperties":
                    if (!value.IsNumeric || value.ToDouble() < 0 || Math.Floor(value.ToDouble()) != value.ToDouble())
                    {
                        throw Wrong(name, "a non-negative integer");
                    }

                    residual[name] = value;
                    break;
                case "properties":
                    SplitProperties(Require<BsonDocument>(name, value, "an object"), native, residual, warnings, depth);
                    break;
                case "items":
                    SplitItems(value, native, residual, warnings, depth);
                    break;
                case "additionalItems" when value is BsonDocument additional:
                    var (nativeRest, residualRest) = Split(additional, warnings, depth + 1);
                    native.Add(name, nativeRest);
                    if (residualRest.ElementCount > 0)
                    {
                        residual[name] = residualRest;
                    }

                    break;
                case "allOf":
                    var residuals = new BsonArray();
                    foreach (var part in Schemas(name, value))
                    {
                        var (nativePart, residualPart) = Split(part, warnings, depth + 1);
                        if (nativePart.ElementCount > 0)
                        {
                            all.Add(nativePart);
                        }

                        if (residualPart.ElementCount > 0)
                        {
                            residuals.Add(residualPart);
                        }
                    }

                    if (residuals.Count > 0)
                    {
                        residual[name] = residuals;
                    }

                    break;
                case "anyOf" or "oneOf":
                    var parts = Schemas(name, value).Select(part => Split(part, warnings, depth + 1)).ToList();
                    if (parts.Exists(p => p.Residual.ElementCount > 0))
                    {
                        // A choice cannot be split into two conditions that both must hold.
                        residual[name] = value;
                    }
                    else if (name == "oneOf")
                    {
                        all.Add(new BsonDocument("oneOf", new BsonArray(parts.Select(p => p.Native))));
                    }
                    else
                    {
                        all.Add(Neither(Neither([.. parts.Select(p => p.Native)])));
                    }

                    break;
                case "not":
                    var (nativeNot, residualNot) = Split(Require<BsonDocument>(name, value, "an object"), warnings, depth + 1);
                    if (residualNot.ElementCount > 0)
                    {
                        residual[name] = value;
                    }
                    else
                    {
                        all.Add(Neither(nativeNot));
                    }

                    break;
                default:
                    // Known to the backend, or refused by it with a message that names it.
                    native.Add(name, value);
                    break;
            }
        }

        if (residual.Contains("additionalProperties"))
        {
            KeepNames(schema, residual, "properties");
            KeepNames(schema, residual, "patternProperties");
        }

        if (residual.Contains("additionalItems") && !residual.Contains("items") && schema.TryGetValue("items", out var items) && items is BsonArray positions)
        {
            residual["items"] = new BsonArray(positions.Select(_ => new BsonDocument()));
        }

        switch (all)
        {
            case []:
                break;
            case [{ ElementCount: 1 } only] when only.Contains("oneOf"):
                native.Add("oneOf", only["oneOf"]);
                break;
            case [var only]:
                native.Add("oneOf", new BsonArray { only });
                break;
            default:
                // All of them: none of them is refused.
                native.Add("oneOf", Neither([.. all.Select(a => Neither(a))])["oneOf"]);
                break;
        }

        return (native, residual);
    }

    private static void SplitProperties(
        BsonDocument properties, BsonDocument native, BsonDocument residual, ICollection<string> warnings, int depth)
    {
        var natives = new BsonDocument();
        var residuals = new BsonDocument();
        foreach (var property in properties)
        {
            var (nativePart, residualPart) = Split(Require<BsonDocument>(property.Name, property.Value, "an object"), warnings, depth + 1);
            natives.Add(property.Name, nativePart);
            if (residualPart.ElementCount > 0)
            {
                residuals.Add(property.Name, residualPart);
            }
        }

        native.Add("properties", natives);
        if (residuals.ElementCount > 0)
        {
            residual["properties"] = residuals;
        }
    }

    private static void SplitItems(BsonValue items, BsonDocument native, BsonDocument residual, ICollection<string> warnings, int depth)
    {
        switch (items)
        {
            case BsonDocument every:
                var (nativeEvery, residualEvery) = Split(every, warnings, depth + 1);
                native.Add("items", nativeEvery);
                if (residualEvery.ElementCount > 0)
                {
                    residual["items"] = residualEvery;
                }

                break;
            case BsonArray positions:
                var parts = positions.Select(p => Split(Require<BsonDocument>("items", p, "an array of objects"), warnings, depth + 1)).ToList();
                native.Add("items", new BsonArray(parts.Select(p => p.Native)));
                if (parts.Exists(p => p.Residual.ElementCount > 0))
                {
                    residual["items"] = new BsonArray(parts.Select(p => p.Residual));
                }

                break;
            default:
                throw Wrong("items", "an array or an object");
        }
    }

    private static void KeepNames(BsonDocument schema, BsonDocument residual, string keyword)
    {
        if (!schema.TryGetValue(keyword, out var named) || named is not BsonDocument names)
        {
            return;
        }

        var kept = residual.TryGetValue(keyword, out var old) && old is BsonDocument there ? there : [];
        var complete = new BsonDocument(kept.AsEnumerable());
        foreach (var name in names.Names.Where(n => !kept.Contains(n)))
        {
            complete.Add(name, new BsonDocument());
        }

        residual[keyword] = complete;
    }

    private static BsonDocument Neither(params BsonDocument[] schemas) =>
        new("oneOf", new BsonArray(schemas.Prepend([])));

    private static BsonValue WithoutNumber(BsonValue type) => type switch
    {
        BsonString { Value: "number" } => new BsonArray(s_numbers),
        BsonArray list
            when list.Contains("number") => new BsonArray(list.SelectMany(t => t == "number" ? s_numbers.Select(n => (BsonValue)n) : [t]).Distinct()),
        _ => type,
    };

    private static IEnumerable<BsonDocument> Schemas(string keyword, BsonValue value) =>
        value is BsonArray { Count: > 0 } array && array.All(v => v is BsonDocument)
            ? array.Cast<BsonDocument>()
            : throw Wrong(keyword, "a non-empty array of objects");

    private static T Require<T>(string keyword, BsonValue value, string form)
        where T : BsonValue => value as T ?? throw Wrong(keyword, form);

    private static CommandException Wrong(string keyword, string form) =>
        new(ErrorCode.TypeMismatch, $"$jsonSchema keyword '{keyword}' must be {form}");
}
