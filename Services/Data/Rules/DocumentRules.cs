using System.Linq.Expressions;
using System.Reflection;
using MongoDB.Bson;

namespace Platform.Data.Rules;

/// <summary>All rules on the documents of one collection.</summary>
public sealed class DocumentRules
{
    private readonly BsonDocument _validator;

    internal DocumentRules(Type documentType, IReadOnlyList<CrossFieldRule> crossField)
    {
        foreach (var rule in crossField)
        {
            rule.Compile();
        }

        Schema = JsonSchemaGenerator.NodeOf(documentType);
        CrossField = crossField;
        Fields = [.. Schema.Rules("").Where(rule => rule.Path.Length > 0)];
        _validator = new BsonDocument("$jsonSchema", Schema.ToBson());
        if (crossField.Count > 0)
        {
            _validator.Add("$and", new BsonArray(crossField.Select(rule => rule.ToBson())));
        }
    }

    /// <summary>What is asked of the document's fields.</summary>
    public SchemaNode Schema { get; }

    /// <summary>The rules on single fields, one by one.</summary>
    public IReadOnlyList<FieldRule> Fields { get; }

    /// <summary>The rules over several fields.</summary>
    public IReadOnlyList<CrossFieldRule> CrossField { get; }

    /// <summary>The rules as the server takes them: a <c>$jsonSchema</c>, and one <c>$expr</c> for each rule over several fields.</summary>
    /// <remarks><see href="https://www.mongodb.com/docs/manual/core/schema-validation/"/></remarks>
    public BsonDocument Validator() => (BsonDocument)_validator.DeepClone();

    /// <summary>Judges a document as the server would.</summary>
    /// <param name="document">The document.</param>
    /// <returns>What is wrong with its fields; when nothing is, what is wrong between them. Empty for a document that obeys.</returns>
    public IReadOnlyList<RuleViolation> Evaluate(BsonDocument document)
    {
        ArgumentNullException.ThrowIfNull(document);
        var violations = new List<RuleViolation>();
        Schema.Evaluate(document, "", violations);
        if (violations.Count == 0)
        {
            foreach (var rule in CrossField)
            {
                rule.Evaluate(document, violations);
            }
        }

        return violations;
    }

    /// <summary>What is asked of a member of a document type, or of a type that documents are made of.</summary>
    /// <typeparam name="TDocument">The type.</typeparam>
    /// <typeparam name="TMember">The member's type.</typeparam>
    /// <param name="member">The member: <c>line => line.Quantity</c>.</param>
    /// <exception cref="ArgumentException">It is no member that is stored.</exception>
    public static SchemaNode Of<TDocument, TMember>(Expression<Func<TDocument, TMember>> member)
    {
        ArgumentNullException.ThrowIfNull(member);
        if (member.Body is MemberExpression { Member: PropertyInfo property, Expression: ParameterExpression }
            && JsonSchemaGenerator.NodeOf(typeof(TDocument)).Properties.FirstOrDefault(node => node.Value.Origin?.Name == property.Name).Value is { } node)
        {
            return node;
        }

        throw new ArgumentException($"{member} is not a stored member of {typeof(TDocument).Name}.", nameof(member));
    }
}
