using MongoDB.Bson;
using MongoDB.Driver;
using Platform.Gateway.Commands.Writes;
using Xunit;

namespace Platform.Tests.Gateway;

/// <summary>
/// Schemas as the backend judges them after the rewriting, against the rules read directly: two ways that share no code must agree on
/// every document, so that neither a rewriting nor an explanation says something else than the schema.
/// </summary>
[Collection(CommandsCollection.Name)]
public sealed class JsonSchemaTests(GatewayFixture gateway)
{
    private static readonly string[] s_schemas =
    [
        "{ bsonType: 'number' }", "{ type: 'number', minimum: 2 }", "{ bsonType: ['string', 'number'] }",
        "{ not: { bsonType: 'int' } }", "{ not: { required: ['a'] } }", "{ anyOf: [{ bsonType: 'string' }, { bsonType: 'int', minimum: 3 }] }",
        "{ allOf: [{ minimum: 2 }, { maximum: 4 }] }", "{ oneOf: [{ multipleOf: 2 }, { multipleOf: 3 }] }",
        "{ allOf: [{ anyOf: [{ bsonType: 'int' }, { bsonType: 'string' }] }, { not: { enum: [3, 'x'] } }], oneOf: [{ maximum: 4 }, { bsonType: 'string' }] }",
        "{ additionalProperties: false, properties: { a: {} } }", "{ additionalProperties: { bsonType: 'int' } }",
        "{ additionalProperties: false, patternProperties: { '^a': { bsonType: 'int' }, 'b$': {} } }", "{ minProperties: 1 }", "{ maxProperties: 1 }",
        "{ dependencies: { a: ['b'] } }", "{ dependencies: { a: { properties: { b: { bsonType: 'int' } }, required: ['b'] } } }",
        "{ items: { additionalProperties: false, properties: { a: {} } } }",
        "{ items: [{ bsonType: 'int' }, { not: { bsonType: 'int' } }], additionalItems: false }",
        "{ items: [{}, { minProperties: 1 }], additionalItems: { minProperties: 2 } }", "{ items: { anyOf: [{ bsonType: 'int' }, { required: ['a'] }] } }",
        "{ anyOf: [{ additionalProperties: false, properties: { a: {} } }, { minProperties: 3 }, { bsonType: 'string', minLength: 2 }] }",
        "{ not: { additionalProperties: false, properties: { a: {}, b: { pattern: '^x' } } } }", "{ uniqueItems: true, maxItems: 2 }",
        "{ oneOf: [{ minProperties: 2 }, { required: ['a'] }, { enum: [1, null, [1]] }] }",
        "{ properties: { a: { properties: { b: { additionalProperties: false } } } } }",
        "{ minimum: 3, exclusiveMinimum: true, additionalProperties: false }", "{ not: { not: { maxLength: 1, minProperties: 1 } } }",
    ];

    private static readonly string[] s_values =
    [
        "1", "2", "3", "4", "6", "2.5", "NumberLong(3)", "NumberDecimal('4')", "'x'", "'xy'", "null", "true", "[]", "[1]", "[1, 1]", "[1, 'a']", "[1, 2, 3]",
        "[{ a: 1 }]", "[{ a: 1, b: 1 }, { b: 2 }]", "[{}, { a: 1 }, { a: 1, b: 2 }]", "{}", "{ a: 1 }", "{ b: 1 }", "{ a: 'x' }", "{ a: 1, b: 'xy' }",
        "{ ab: 'x', a1: 2 }",
        "{ a: { b: {} }, b: 2 }", "{ a: { b: { c: 1 } } }", "{ a: 1, b: 2, c: 3 }", "{ 'c.d': 1 }", "{ '$e': 1 }", "ISODate('2026-01-01T00:00:00Z')",
    ];

    [Fact]
    public async Task The_engine_judges_a_rewritten_schema_as_its_rules_say()
    {
        var database = gateway.NewDatabase();
        var documents = s_values.Select((v, i) => new BsonDocument { { "_id", i }, { "v", BsonDocument.Parse($"{{ v: {v} }}")["v"] } })
            .Append(new BsonDocument("_id", -1))
            .ToList();
        var collection = database.GetCollection<BsonDocument>("values");
        await collection.InsertManyAsync(documents, null, TestContext.Current.CancellationToken);
        var differences = new List<string>();
        foreach (var text in s_schemas)
        {
            var schema = new BsonDocument("properties", new BsonDocument("v", BsonDocument.Parse(text)));
            var conforming = (await collection.Find(new BsonDocument("$jsonSchema", schema)).ToListAsync(TestContext.Current.CancellationToken))
                .Select(d => d["_id"].AsInt32).ToHashSet();
            differences.AddRange(documents
                .Where(d => conforming.Contains(d["_id"].AsInt32) != (JsonSchemaFailure.Rules(schema, d).Count == 0))
                .Select(d => $"{text}: {d} is {(conforming.Contains(d["_id"].AsInt32) ? "accepted" : "refused")} by the backend"));
        }

        Assert.True(differences.Count == 0, string.Join(Environment.NewLine, differences));
    }
}
