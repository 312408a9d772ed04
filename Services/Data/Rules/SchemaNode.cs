using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using MongoDB.Bson;
using Platform.Data.Encryption;

namespace Platform.Data.Rules;

/// <summary>
/// What is asked of one value: the part of a <c>$jsonSchema</c> that stands for it. The one form in which rules on fields
/// exist; the server's schema, the checks of this program, the samples of tests and the pages are all read from it.
/// </summary>
/// <remarks>
/// Values are judged as MongoDB judges them: lengths are counted in Unicode code points, numbers of different types are compared
/// by value, and a keyword says nothing about values of types that it is not for.
/// <see href="https://www.mongodb.com/docs/manual/reference/operator/query/jsonSchema/"/>
/// </remarks>
public sealed class SchemaNode
{
    private Regex? _pattern;

    /// <summary>The BSON type by its name in <c>bsonType</c>; null when <see cref="Enum"/> says it.</summary>
    public string? BsonType { get; init; }

    /// <summary>Whether any numeric type will do; then <see cref="BsonType"/> is null.</summary>
    public bool IsNumber { get; init; }

    /// <summary>
    /// Whether the value may be encrypted: then nothing else is asked of it, as keywords say nothing about values of types that they are not for. Programs
    /// judge it before they encrypt it.
    /// </summary>
    public bool IsEncrypted { get; init; }

    /// <summary>The values that are allowed; null for all.</summary>
    public IReadOnlyList<string>? Enum { get; init; }

    /// <summary>The members of an object, in order.</summary>
    public IReadOnlyList<KeyValuePair<string, SchemaNode>> Properties { get; init; } = [];

    /// <summary>The members that an object must have.</summary>
    public IReadOnlyList<string> Required { get; init; } = [];

    /// <summary>Whether an object can have no other members than <see cref="Properties"/>.</summary>
    public bool Closed { get; init; }

    /// <summary>What is asked of each entry of a list; null when nothing is, or <see cref="Tuple"/> says it.</summary>
    public SchemaNode? Items { get; init; }

    /// <summary>What is asked of the first, second, ... entry of a list; empty for lists that are no tuples.</summary>
    public IReadOnlyList<SchemaNode> Tuple { get; init; } = [];

    /// <summary>The least number; null for none.</summary>
    public BsonValue? Minimum { get; init; }

    /// <summary>The greatest number; null for none.</summary>
    public BsonValue? Maximum { get; init; }

    /// <summary>The fewest code points of a text; null for no limit.</summary>
    public int? MinLength { get; init; }

    /// <summary>The most code points of a text; null for no limit.</summary>
    public int? MaxLength { get; init; }

    /// <summary>The fewest entries of a list; null for no limit.</summary>
    public int? MinItems { get; init; }

    /// <summary>The most entries of a list; null for no limit.</summary>
    public int? MaxItems { get; init; }

    /// <summary>Whether no entry may stand in a list twice.</summary>
    public bool UniqueItems { get; init; }

    /// <summary>The form of a text, as a regular expression that PCRE and .NET read alike; null for any form.</summary>
    public string? Pattern { get; init; }

    /// <summary>The form of a text, as a sentence; null when <see cref="Pattern"/> is.</summary>
    public string? PatternSentence { get; init; }

    /// <summary>The member that declares these rules; null for values that no member of ours stands for.</summary>
    public PropertyInfo? Origin { get; init; }

    /// <summary>A member by its stored name; null when the object has none.</summary>
    /// <param name="name">The name.</param>
    public SchemaNode? Property(string name)
    {
        foreach (var property in Properties)
        {
            if (property.Key == name)
            {
                return property.Value;
            }
        }

        return null;
    }

    /// <summary>What is asked of an entry; null when nothing is.</summary>
    /// <param name="index">The entry's index.</param>
    public SchemaNode? Item(int index) => Tuple.Count == 0 ? Items : index < Tuple.Count ? Tuple[index] : null;

    /// <summary>The schema as the server takes it.</summary>
    public BsonDocument ToBson()
    {
        var schema = new BsonDocument();
        AddIf(BsonType is not null, "bsonType", () => IsEncrypted ? new BsonArray { BsonType, "binData" } : BsonType);
        AddIf(IsNumber, "type", () => "number");
        AddIf(Enum is not null, "enum", () => new BsonArray(Enum));
        AddIf(Required.Count > 0, "required", () => new BsonArray(Required));
        AddIf(
            Properties.Count > 0, "properties", () => new BsonDocument(Properties.Select(property => new BsonElement(property.Key, property.Value.ToBson()))));
        AddIf(Closed, "additionalProperties", () => false);
        AddIf(Items is not null, "items", () => Items!.ToBson());
        AddIf(Tuple.Count > 0, "items", () => new BsonArray(Tuple.Select(item => item.ToBson())));
        AddIf(Minimum is not null, "minimum", () => Minimum);
        AddIf(Maximum is not null, "maximum", () => Maximum);
        AddIf(MinLength is not null, "minLength", () => MinLength);
        AddIf(MaxLength is not null, "maxLength", () => MaxLength);
        AddIf(Pattern is not null, "pattern", () => Pattern);
        AddIf(MinItems is not null, "minItems", () => MinItems);
        AddIf(MaxItems is not null, "maxItems", () => MaxItems);
        AddIf(UniqueItems, "uniqueItems", () => true);
        return schema;

        void AddIf(bool present, string keyword, Func<BsonValue?> value)
        {
            if (present)
            {
                schema.Add(keyword, value());
            }
        }
    }

    /// <summary>The rules on this value and on what is in it, in the order of the schema.</summary>
    /// <param name="path">Where the value stands, see <see cref="FieldRule.Path"/>.</param>
    public IEnumerable<FieldRule> Rules(string path)
    {
        foreach (var (code, limit) in OwnKeywords())
        {
            yield return new FieldRule(path, code, limit, Sentence(code), Origin);
        }

        foreach (var (name, property) in Properties)
        {
            var inner = path.Length == 0 ? name : $"{path}.{name}";
            if (Required.Contains(name))
            {
                yield return new FieldRule(inner, RuleCodes.Required, "", Sentence(RuleCodes.Required), property.Origin);
            }

            foreach (var rule in property.Rules(inner))
            {
                yield return rule;
            }
        }

        foreach (var rule in Items?.Rules($"{path}[]") ?? [])
        {
            yield return rule;
        }

        for (var i = 0; i < Tuple.Count; i++)
        {
            foreach (var rule in Tuple[i].Rules(string.Create(CultureInfo.InvariantCulture, $"{path}[{i}]")))
            {
                yield return rule;
            }
        }
    }

    /// <summary>Judges a value and everything in it.</summary>
    /// <param name="value">The value.</param>
    /// <param name="pointer">Where it stands.</param>
    /// <param name="violations">Takes what is wrong.</param>
    public void Evaluate(BsonValue value, string pointer, ICollection<RuleViolation> violations)
    {
        ArgumentNullException.ThrowIfNull(value);
        ArgumentNullException.ThrowIfNull(violations);
        if (IsEncrypted && EncryptedField.IsEncrypted(value))
        {
            return;
        }

        if (!IsOfType(value))
        {
            Add(RuleCodes.Type);
            return;
        }

        if (Enum is not null && !(value is BsonString word && Enum.Contains(word.Value)))
        {
            Add(RuleCodes.Enum);
        }

        switch (value)
        {
            case BsonDocument document:
                EvaluateObject(document, pointer, violations);
                break;
            case BsonArray array:
                EvaluateArray(array, pointer, violations);
                break;
            case BsonString text:
                EvaluateText(text.Value, Add);
                break;
            case { IsNumeric: true }:
                if (Minimum is not null && ExactNumber.Compare(value, Minimum) < 0)
                {
                    Add(RuleCodes.Minimum);
                }
                else if (Maximum is not null && ExactNumber.Compare(value, Maximum) > 0)
                {
                    Add(RuleCodes.Maximum);
                }

                break;
        }

        void Add(string code) => violations.Add(new RuleViolation(pointer, code, Sentence(code)));
    }

    /// <summary>Judges only how many entries a list has.</summary>
    /// <param name="count">The number of entries.</param>
    /// <param name="pointer">Where the list stands.</param>
    /// <param name="violations">Takes what is wrong.</param>
    public void EvaluateCount(int count, string pointer, ICollection<RuleViolation> violations)
    {
        ArgumentNullException.ThrowIfNull(violations);
        if (count < MinItems)
        {
            violations.Add(new RuleViolation(pointer, RuleCodes.MinItems, Sentence(RuleCodes.MinItems)));
        }

        if (count > MaxItems)
        {
            violations.Add(new RuleViolation(pointer, RuleCodes.MaxItems, Sentence(RuleCodes.MaxItems)));
        }
    }

    /// <summary>What a rule of this value asks, as a sentence for people. Limits that belong together are said together.</summary>
    /// <param name="code">The rule.</param>
    public string Sentence(string code) => code switch
    {
        RuleCodes.Required => "Is required.",
        RuleCodes.Type => IsNumber ? "Must be a number." : TypeSentence(BsonType),
        RuleCodes.Enum => Enum is { Count: 1 } ? $"Must be {Enum[0]}." : $"Must be one of {string.Join(", ", Enum ?? [])}.",
        RuleCodes.Minimum or RuleCodes.Maximum => (Minimum, Maximum) switch
        {
            (not null, not null) => $"Must be from {Plain(Minimum)} to {Plain(Maximum)}.",
            (not null, null) => $"Must be at least {Plain(Minimum)}.",
            _ => $"Must be at most {Plain(Maximum)}.",
        },
        RuleCodes.MinLength or RuleCodes.MaxLength => Bounds(MinLength, MaxLength, "Must be", "character", " long"),
        RuleCodes.Pattern => PatternSentence ?? $"Must match {Pattern}.",
        RuleCodes.MinItems or RuleCodes.MaxItems => Bounds(MinItems, MaxItems, "Must have", "entry", ""),
        RuleCodes.UniqueItems => "Must not have an entry twice.",
        RuleCodes.AdditionalProperties => $"Is not a member; the members are {string.Join(", ", Properties.Select(property => property.Key))}.",
        _ => "Breaks a rule of the collection.",
    };

    private static string TypeSentence(string? bsonType) => bsonType switch
    {
        "objectId" => "Must be an id: 24 hexadecimal digits.",
        "string" => "Must be a text.",
        "int" or "long" => "Must be a whole number.",
        "decimal" or "double" => "Must be a number.",
        "bool" => "Must be true or false.",
        "date" => "Must be a time.",
        "array" => "Must be a list.",
        _ => "Must be an object.",
    };

    private static string Bounds(int? least, int? most, string verb, string unit, string end)
    {
        var bound = (least, most) switch
        {
            ({ } from, { } to) when from == to => string.Create(CultureInfo.InvariantCulture, $"exactly {from}"),
            ({ } from, { } to) => string.Create(CultureInfo.InvariantCulture, $"{from} to {to}"),
            ({ } from, null) => string.Create(CultureInfo.InvariantCulture, $"at least {from}"),
            _ => string.Create(CultureInfo.InvariantCulture, $"at most {most}"),
        };
        var one = (most ?? least) == 1;
        return $"{verb} {bound} {(one ? unit : unit == "entry" ? "entries" : $"{unit}s")}{end}.";
    }

    private static string Plain(BsonValue? limit) => limit?.ToString() ?? "";

    private IEnumerable<(string Code, string Limit)> OwnKeywords()
    {
        if (BsonType is not null || IsNumber)
        {
            yield return (RuleCodes.Type, BsonType ?? "number");
        }

        if (Enum is not null)
        {
            yield return (RuleCodes.Enum, string.Join(", ", Enum));
        }

        if (Closed)
        {
            yield return (RuleCodes.AdditionalProperties, "false");
        }

        foreach (var (code, limit) in new (string, object?)[]
        {
            (RuleCodes.Minimum, Minimum), (RuleCodes.Maximum, Maximum), (RuleCodes.MinLength, MinLength), (RuleCodes.MaxLength, MaxLength),
            (RuleCodes.Pattern, Pattern), (RuleCodes.MinItems, MinItems), (RuleCodes.MaxItems, MaxItems),
        })
        {
            if (limit is not null)
            {
                yield return (code, Convert.ToString(limit, CultureInfo.InvariantCulture)!);
            }
        }

        if (UniqueItems)
        {
            yield return (RuleCodes.UniqueItems, "");
        }
    }

    private bool IsOfType(BsonValue value) =>
        IsNumber ? value.IsNumeric
        : BsonType is null
        || value.BsonType == BsonType switch
        {
            "objectId" => MongoDB.Bson.BsonType.ObjectId,
            "string" => MongoDB.Bson.BsonType.String,
            "bool" => MongoDB.Bson.BsonType.Boolean,
            "int" => MongoDB.Bson.BsonType.Int32,
            "long" => MongoDB.Bson.BsonType.Int64,
            "double" => MongoDB.Bson.BsonType.Double,
            "decimal" => MongoDB.Bson.BsonType.Decimal128,
            "date" => MongoDB.Bson.BsonType.DateTime,
            "array" => MongoDB.Bson.BsonType.Array,
            "object" => MongoDB.Bson.BsonType.Document,
            _ => throw new NotSupportedException($"{BsonType} is not a type that documents are made of."),
        };

    private void EvaluateObject(BsonDocument document, string pointer, ICollection<RuleViolation> violations)
    {
        foreach (var (name, property) in Properties)
        {
            if (document.TryGetValue(name, out var value))
            {
                property.Evaluate(value, JsonPointer.Member(pointer, name), violations);
            }
            else if (Required.Contains(name))
            {
                violations.Add(new RuleViolation(JsonPointer.Member(pointer, name), RuleCodes.Required, Sentence(RuleCodes.Required)));
            }
        }

        if (Closed)
        {
            foreach (var name in document.Names.Where(name => Property(name) is null))
            {
                violations.Add(new RuleViolation(
                    JsonPointer.Member(pointer, name), RuleCodes.AdditionalProperties, Sentence(RuleCodes.AdditionalProperties)));
            }
        }
    }

    private void EvaluateArray(BsonArray array, string pointer, ICollection<RuleViolation> violations)
    {
        EvaluateCount(array.Count, pointer, violations);
        if (UniqueItems && array.Distinct().Count() != array.Count)
        {
            violations.Add(new RuleViolation(pointer, RuleCodes.UniqueItems, Sentence(RuleCodes.UniqueItems)));
        }

        for (var i = 0; i < array.Count; i++)
        {
            Item(i)?.Evaluate(array[i], JsonPointer.Item(pointer, i), violations);
        }
    }

    private void EvaluateText(string text, Action<string> add)
    {
        if (MinLength is not null || MaxLength is not null)
        {
            var length = text.EnumerateRunes().Count();
            if (length < MinLength)
            {
                add(RuleCodes.MinLength);
            }
            else if (length > MaxLength)
            {
                add(RuleCodes.MaxLength);
            }
        }

        if (Pattern is not null)
        {
            // Long texts of strangers: a pattern must not be able to take exponential time.
            _pattern ??= new Regex(Pattern, RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);
            if (!_pattern.IsMatch(text))
            {
                add(RuleCodes.Pattern);
            }
        }
    }
}
