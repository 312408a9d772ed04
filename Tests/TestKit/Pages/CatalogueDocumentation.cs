using System.Text;
using MongoDB.Bson;
using Platform.Data.Catalogue;

namespace Platform.Tests.TestKit.Pages;

/// <summary>Writes the catalogue as Markdown, for the page <c>docs/data-model.md</c>.</summary>
internal static class CatalogueDocumentation
{
    /// <summary>One section per collection: what it holds, its fields as the server checks them, and its indexes with their reasons.</summary>
    /// <returns>Markdown with line feeds as line ends.</returns>
    public static string Render()
    {
        var page = new StringBuilder();
        foreach (var collection in CollectionCatalogue.All)
        {
            page.Append($"### {collection.Name}\n\n{collection.Description}\n");
            var key = collection.ShardKey.IsSharded ? $"Shard key: `{QueryShape.Text(collection.ShardKey.KeyDocument())}`." : "Not sharded.";
            page.Append($"{key} {collection.ShardKey.Reason}\n\n");
            if (collection.IsBookkeeping)
            {
                page.Append("Bookkeeping: without a validator.\n");
            }
            else
            {
                page.Append("| Field | Rule |\n| --- | --- |\n");
                AppendFields(page, collection.Validator["$jsonSchema"].AsBsonDocument, "");
            }

            foreach (var rule in collection.CrossField)
            {
                page.Append($"| {rule.Path} | {rule.Code}: {rule.Sentence} |\n");
            }

            page.Append(collection.Indexes.Count == 0 ? "" : "\n| Index | Keys | Serves |\n| --- | --- | --- |\n");
            foreach (var index in collection.Indexes.SelectMany(index => index.Variants.Keys.Order().Select(index.On).Prepend(index)))
            {
                var options = new List<string>();
                if (index.Unique)
                {
                    options.Add("unique");
                }

                if (index.PartialFilter is not null)
                {
                    options.Add($"only `{index.PartialFilter.ToJson()}`");
                }

                var suffix = options.Count == 0 ? "" : $" ({string.Join(", ", options)})";
                var exception = index.TenantException is null ? "" : $" *{index.TenantException}*";
                page.Append($"| {index.Name} | {string.Join(", ", index.Keys.Select(Describe))}{suffix} | {index.Serves}{exception} |\n");
            }

            page.Append('\n');
        }

        return page.ToString();
    }

    private static string Describe(IndexKey key) => key.Kind switch
    {
        IndexKind.Ascending => key.Field,
        IndexKind.Descending => $"{key.Field} ↓",
        IndexKind.Text => $"{key.Field} (text, weight {key.Weight})",
        _ => $"{key.Field} ({key.ToBsonValue()})",
    };

    private static void AppendFields(StringBuilder page, BsonDocument schema, string prefix)
    {
        var required = schema["required"].AsBsonArray;
        foreach (var property in schema["properties"].AsBsonDocument)
        {
            var rule = property.Value.AsBsonDocument;
            var words = rule.Where(element => element.Name is not ("properties" or "required" or "items"))
                .Select(element => element.Name switch
                {
                    // What may be encrypted is listed with both types.
                    "bsonType" when element.Value is BsonArray types => $"{types[0]}, encrypted",
                    "bsonType" or "type" => element.Value.AsString,
                    "uniqueItems" => "no entry twice",
                    "additionalProperties" => "no other members",
                    "enum" => "one of " + string.Join(", ", element.Value.AsBsonArray),
                    "pattern" => $"`{element.Value.AsString.Replace("|", "\\|", StringComparison.Ordinal)}`",
                    _ => $"{element.Name} {element.Value}",
                })
                .Concat(required.Contains(property.Name) ? [] : ["optional"]);
            page.Append($"| {prefix}{property.Name} | {string.Join("; ", words)} |\n");

            if (rule.TryGetValue("properties", out _))
            {
                AppendFields(page, rule, $"{prefix}{property.Name}.");
            }
            else if (rule.TryGetValue("items", out var items) && items is BsonDocument && items.AsBsonDocument.Contains("properties"))
            {
                AppendFields(page, items.AsBsonDocument, $"{prefix}{property.Name}[].");
            }
        }
    }
}
