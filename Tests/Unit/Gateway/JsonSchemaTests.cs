using MongoDB.Bson;
using Platform.Gateway.Commands.Writes;
using Platform.Gateway.Corrections;
using Platform.Gateway.Errors;
using Xunit;

namespace Platform.Tests.Unit.Gateway;

public sealed class JsonSchemaTests
{
    [Theory]
    [InlineData("{ bsonType: 'object', title: 'Order', description: 'd' }", "{ bsonType: 'object' }")]
    [InlineData("{ properties: { n: { bsonType: 'number' } } }", "{ properties: { n: { bsonType: ['int', 'long', 'double', 'decimal'] } } }")]
    [InlineData("{ not: { required: ['a'] } }", "{ oneOf: [{}, { required: ['a'] }] }")]
    [InlineData("{ anyOf: [{ required: ['a'] }, { required: ['b'] }] }", "{ oneOf: [{}, { oneOf: [{}, { required: ['a'] }, { required: ['b'] }] }] }")]
    [InlineData("{ allOf: [{ required: ['a'] }] }", "{ oneOf: [{ required: ['a'] }] }")]
    [InlineData("{ additionalProperties: true }", "{}")]
    public void A_schema_is_said_in_keywords_that_the_engine_knows(string given, string expected)
    {
        var warnings = new List<string>();
        var (native, residual) = JsonSchemaRewriter.Split(BsonDocument.Parse(given), warnings);
        Assert.Equal(BsonDocument.Parse(expected), native);
        Assert.Equal(0, residual.ElementCount);
        Assert.Empty(warnings);
    }

    [Fact]
    public void What_looks_at_all_fields_becomes_an_expression_and_the_rest_stays_a_schema()
    {
        var rewritten = JsonSchemaRewriter.Filter(
            BsonDocument.Parse("{ $jsonSchema: { required: ['a'], properties: { _id: {}, a: { bsonType: 'int' } }, additionalProperties: false } }"), []);
        Assert.Equal(BsonDocument.Parse("{ required: ['a'], properties: { _id: {}, a: { bsonType: 'int' } } }"), rewritten["$jsonSchema"]);
        Assert.Contains("$allElementsTrue", rewritten["$and"][0]["$expr"].ToJson(), StringComparison.Ordinal);
    }

    [Fact]
    public void What_has_no_equal_form_is_left_out_with_a_warning()
    {
        var warnings = new List<string>();
        JsonSchemaRewriter.Split(BsonDocument.Parse("{ encryptMetadata: {}, required: ['a'] }"), warnings);
        Assert.Contains("encryptMetadata", Assert.Single(warnings), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{ anyOf: [] }")]
    [InlineData("{ not: 1 }")]
    [InlineData("{ additionalProperties: 'no' }")]
    [InlineData("{ minProperties: -1 }")]
    [InlineData("{ properties: { a: 1 } }")]
    public void A_schema_of_a_wrong_form_is_refused(string schema) =>
        Assert.Throws<CommandException>(() => JsonSchemaRewriter.Split(BsonDocument.Parse(schema), []));

    [Fact]
    public void A_broken_rule_is_named_with_what_was_asked_and_what_was_found()
    {
        var rules = JsonSchemaFailure.Rules(
            BsonDocument.Parse("{ required: ['name'], properties: { year: { minimum: 2017, description: 'recent' } } }"),
            BsonDocument.Parse("{ year: 1900 }"));
        Assert.Equal(
            BsonDocument.Parse(
                """
                { r: [
                  { operatorName: 'required', specifiedAs: { required: ['name'] }, missingProperties: ['name'] },
                  { operatorName: 'properties', propertiesNotSatisfied: [
                    { propertyName: 'year', description: 'recent', details: [
                      { operatorName: 'minimum', specifiedAs: { minimum: 2017 }, reason: 'comparison failed', consideredValue: 1900 }] }] }] }
                """)["r"],
            rules);
    }

    [Fact]
    public void Decimal_multiples_are_not_lost_in_binary()
    {
        Assert.Empty(JsonSchemaFailure.Rules(BsonDocument.Parse("{ multipleOf: 0.1 }"), 0.3));
        Assert.NotEmpty(JsonSchemaFailure.Rules(BsonDocument.Parse("{ multipleOf: 0.1 }"), 0.35));
    }
}
