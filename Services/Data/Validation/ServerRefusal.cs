using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Data.Catalogue;
using Platform.Data.Rules;

namespace Platform.Data.Validation;

/// <summary>
/// Reads why a server refused a write: code 121 with the details that MongoDB (5.0 and later) gives, and code 11000. A server
/// that gives no details is asked no more: the document is judged here by the same rules.
/// </summary>
/// <remarks><see href="https://www.mongodb.com/docs/manual/core/schema-validation/handle-invalid-documents/"/></remarks>
public static class ServerRefusal
{
    /// <summary>DocumentValidationFailure.</summary>
    public const int DocumentValidationFailure = 121;

    /// <summary>DuplicateKey.</summary>
    public const int DuplicateKey = 11000;

    /// <summary>The refusal that an exception of the driver stands for.</summary>
    /// <param name="exception">What the driver threw.</param>
    /// <param name="collection">The collection that was written to.</param>
    /// <param name="document">Gives the document of an index among those that were written; null for one that is not known, as for updates.</param>
    /// <returns>A <see cref="DocumentRefusedException"/> or <see cref="DuplicateKeyException"/>; null when it is neither.</returns>
    public static Exception? Read(MongoException exception, CollectionDefinition collection, Func<int, BsonDocument?> document)
    {
        ArgumentNullException.ThrowIfNull(exception);
        ArgumentNullException.ThrowIfNull(collection);
        ArgumentNullException.ThrowIfNull(document);
        var (code, message, details, index) = exception switch
        {
            MongoWriteException { WriteError: { } error } => (error.Code, error.Message, error.Details, 0),
            MongoBulkWriteException { WriteErrors: [var error, ..] } => (error.Code, error.Message, error.Details, error.Index),
            MongoCommandException command => (command.Code, command.Message, command.Result?.GetValue("errInfo", BsonNull.Value) as BsonDocument, 0),
            _ => default,
        };
        return code switch
        {
            DocumentValidationFailure => new DocumentRefusedException(
                collection.Name, Violations(details, collection.Rules, document(index)), exception),
            DuplicateKey => Duplicate(exception, message, collection, document(index)),
            _ => null,
        };
    }

    /// <summary>What the details of a refusal say, as violations.</summary>
    /// <param name="errInfo">The member <c>errInfo</c> of the error; null when the server gave none.</param>
    /// <param name="rules">The rules of the collection.</param>
    /// <param name="document">The document, for servers that give no details; null when it is not known.</param>
    /// <returns>The violations; one that names no rule when nothing is known. Never empty.</returns>
    public static IReadOnlyList<RuleViolation> Violations(BsonDocument? errInfo, DocumentRules rules, BsonDocument? document = null)
    {
        ArgumentNullException.ThrowIfNull(rules);
        var violations = new List<RuleViolation>();
        if (errInfo?.GetValue("details", BsonNull.Value) is BsonDocument details)
        {
            ReadClause(details, rules, violations);
        }

        // Of a rule on every entry of a list the server does not say which entry breaks it.
        if (document is not null && (violations.Count == 0 || violations.Exists(violation => rules.CrossField.Any(rule => rule.Code == violation.Code))))
        {
            var judged = rules.Evaluate(document);
            if (judged.Count > 0)
            {
                return judged;
            }
        }

        return violations.Count > 0
            ? violations
            : [new RuleViolation("", RuleCodes.Unnamed, "Breaks a rule of its collection; the server does not say which.")];
    }

    private static void ReadClause(BsonDocument clause, DocumentRules rules, List<RuleViolation> violations)
    {
        switch (clause.GetValue("operatorName", "").AsString)
        {
            case "$jsonSchema":
                ReadRules(clause, "schemaRulesNotSatisfied", "", rules.Schema, violations);
                break;
            case "$and":
                foreach (var unsatisfied in Documents(clause, "clausesNotSatisfied"))
                {
                    if (unsatisfied.GetValue("details", BsonNull.Value) is BsonDocument details)
                    {
                        ReadClause(details, rules, violations);
                    }
                }

                break;
            case "$expr":
                var specified = clause.GetValue("specifiedAs", BsonNull.Value);
                var rule = rules.CrossField.FirstOrDefault(rule => rule.ToBson() == specified);
                violations.Add(rule is null
                    ? new RuleViolation("", RuleCodes.Unnamed, "Breaks a rule over several fields.")
                    : new RuleViolation(
                        JsonPointer.Member("", rule.Each ?? rule.Field),
                        rule.Code,
                        rule.Each is null ? rule.Sentence : $"{rule.Field} of each entry: {rule.Sentence}"));
                break;
        }
    }

    private static void ReadRules(BsonDocument holder, string list, string pointer, SchemaNode? node, List<RuleViolation> violations)
    {
        foreach (var rule in Documents(holder, list))
        {
            ReadRule(rule, pointer, node, violations);
        }
    }

    private static void ReadRule(BsonDocument rule, string pointer, SchemaNode? node, List<RuleViolation> violations)
    {
        switch (rule.GetValue("operatorName", "").AsString)
        {
            case "properties":
                foreach (var property in Documents(rule, "propertiesNotSatisfied"))
                {
                    var name = property["propertyName"].AsString;
                    ReadRules(property, "details", JsonPointer.Member(pointer, name), node?.Property(name), violations);
                }

                break;
            case "items":
                var index = rule.GetValue("itemIndex", 0).ToInt32();
                ReadRules(rule, "details", JsonPointer.Item(pointer, index), node?.Item(index), violations);
                break;
            case "required":
                foreach (var name in Names(rule, "missingProperties"))
                {
                    violations.Add(new RuleViolation(JsonPointer.Member(pointer, name), RuleCodes.Required, Sentence(node, RuleCodes.Required)));
                }

                break;
            case "additionalProperties":
                foreach (var name in Names(rule, "additionalProperties"))
                {
                    violations.Add(new RuleViolation(
                        JsonPointer.Member(pointer, name), RuleCodes.AdditionalProperties, Sentence(node, RuleCodes.AdditionalProperties)));
                }

                break;
            case "bsonType":
                violations.Add(new RuleViolation(pointer, RuleCodes.Type, Sentence(node, RuleCodes.Type)));
                break;
            case var keyword:
                violations.Add(new RuleViolation(pointer, keyword, Sentence(node, keyword)));
                break;
        }
    }

    private static string Sentence(SchemaNode? node, string code) => (node ?? new SchemaNode()).Sentence(code);

    private static IEnumerable<BsonDocument> Documents(BsonDocument holder, string list) =>
        holder.GetValue(list, BsonNull.Value) is BsonArray array ? array.OfType<BsonDocument>() : [];

    private static IEnumerable<string> Names(BsonDocument holder, string list) =>
        holder.GetValue(list, BsonNull.Value) is BsonArray array ? array.OfType<BsonString>().Select(name => name.Value) : [];

    // The driver passes on neither keyPattern nor keyValue of a write error. The index's name has stood in the message, in this
    // form, in every version; what its key is says the catalogue.
    private static DuplicateKeyException Duplicate(
        MongoException exception, string message, CollectionDefinition collection, BsonDocument? document)
    {
        var index = collection.Indexes.FirstOrDefault(index => message.Contains($"index: {index.Name} ", StringComparison.Ordinal));
        var fields = index is null
            ? message.Contains("index: _id_ ", StringComparison.Ordinal) ? ["_id"] : []
            : index.Keys.Select(key => key.Field).Where(field => field != "tenantId");

        // Of a command of its own, such as findAndModify, it passes on the whole reply.
        var values = document ?? (exception as MongoCommandException)?.Result?.GetValue("keyValue", BsonNull.Value) as BsonDocument;
        return new DuplicateKeyException(
            collection.Name,
            index?.Name ?? "_id_",
            fields.ToDictionary(field => field, field => values?.GetValue(field, null)),
            exception);
    }
}
