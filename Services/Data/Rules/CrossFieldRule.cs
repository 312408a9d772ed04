using MongoDB.Bson;

namespace Platform.Data.Rules;

/// <summary>
/// A rule over several fields of a document, as an aggregation expression that is true when the rule holds. The server checks
/// it as <c>$expr</c>; this program judges the same expression, once the fields themselves are right.
/// </summary>
/// <remarks><see href="https://www.mongodb.com/docs/manual/reference/operator/query/expr/"/></remarks>
public sealed class CrossFieldRule
{
    private readonly Lazy<AggregationExpression> _expression;
    private readonly Lazy<AggregationExpression> _given;

    /// <summary>Declares a rule.</summary>
    public CrossFieldRule()
    {
        _expression = new(() => AggregationExpression.Parse(Expression!));
        _given = new(() => AggregationExpression.Parse(Given ?? BsonBoolean.True));
    }

    /// <summary>The rule's name among all rules of its collection, in camelCase.</summary>
    public required string Code { get; init; }

    /// <summary>What the rule asks, as a sentence for people who look at <see cref="Field"/>.</summary>
    public required string Sentence { get; init; }

    /// <summary>The field that a violation points to: of the document, or of the list's entries when there is <see cref="Each"/>.</summary>
    public required string Field { get; init; }

    /// <summary>The fields that the rule reads besides <see cref="Field"/>, for the pages.</summary>
    public required IReadOnlyList<string> With { get; init; }

    /// <summary>The list whose every entry the rule speaks of; null for rules on the document. The entry is <c>$$item</c>.</summary>
    public string? Each { get; init; }

    /// <summary>The expression that is true when the rule holds.</summary>
    public required BsonValue Expression { get; init; }

    /// <summary>
    /// What has to be true for the expression to be asked; null for nothing. The server asks all parts of a validator, and an
    /// operator that gets a value of a wrong type there is an error that hides which rule was broken.
    /// </summary>
    public BsonValue? Given { get; init; }

    /// <summary>The field by its path, such as <c>lines[].total</c>.</summary>
    public string Path => Each is null ? Field : $"{Each}[].{Field}";

    /// <summary>The rule as the server takes it.</summary>
    public BsonDocument ToBson() => new("$expr", Each is null
        ? Guarded(Given, Expression)
        : Guarded(
            new BsonDocument("$isArray", $"${Each}"),
            new BsonDocument("$allElementsTrue", new BsonArray
            {
                new BsonDocument("$map", new BsonDocument { { "input", $"${Each}" }, { "as", "item" }, { "in", Guarded(Given, Expression) } }),
            })));

    /// <summary>Reads the expressions, so that one that is not known here is found with the declaration and not with a document.</summary>
    /// <exception cref="NotSupportedException">An expression has an operator that is not known here.</exception>
    internal void Compile() => _ = (_given.Value, _expression.Value);

    /// <summary>Judges a document whose fields are right one by one.</summary>
    /// <param name="document">The document.</param>
    /// <param name="violations">Takes what is wrong.</param>
    internal void Evaluate(BsonDocument document, ICollection<RuleViolation> violations)
    {
        if (Each is null)
        {
            Ask(document, item: null, JsonPointer.Member("", Field), violations);
        }
        else if (document.TryGetValue(Each, out var list) && list is BsonArray items)
        {
            for (var i = 0; i < items.Count; i++)
            {
                Ask(document, items[i], JsonPointer.Member(JsonPointer.Item(JsonPointer.Member("", Each), i), Field), violations);
            }
        }
    }

    private static BsonValue Guarded(BsonValue? given, BsonValue expression) =>
        given is null ? expression : new BsonDocument("$cond", new BsonArray { given, expression, true });

    private void Ask(BsonDocument document, BsonValue? item, string pointer, ICollection<RuleViolation> violations)
    {
        if (_given.Value.Holds(document, item) && !_expression.Value.Holds(document, item))
        {
            violations.Add(new RuleViolation(pointer, Code, Sentence));
        }
    }
}
