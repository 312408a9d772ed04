using MongoDB.Bson;
using Platform.Data.Catalogue;
using Platform.Data.Rules;
using Platform.Data.Validation;
using Platform.Tests.TestKit.Samples;
using Xunit;

namespace Platform.Tests.Unit.Data.Validation;

/// <summary>What MongoDB says of refused documents, in the form that its manual shows.</summary>
public sealed class ServerRefusalTests
{
    [Fact]
    public void Details_of_a_schema_are_read_to_pointers_codes_and_sentences()
    {
        var errInfo = BsonDocument.Parse("""
            { failingDocumentId: 1, details: { operatorName: '$jsonSchema', schemaRulesNotSatisfied: [
              { operatorName: 'properties', propertiesNotSatisfied: [
                { propertyName: 'currency', details: [
                  { operatorName: 'pattern', specifiedAs: { pattern: '^[A-Z]{3}\\z' }, reason: 'regular expression did not match', consideredValue: 'euro' } ] },
                { propertyName: 'status', details: [
                  { operatorName: 'enum', specifiedAs: { enum: ['pending'] }, reason: 'value was not found in enum', consideredValue: 'lost' } ] },
                { propertyName: 'lines', details: [
                  { operatorName: 'items', reason: 'At least one item did not match the sub-schema', itemIndex: 2, details: [
                    { operatorName: 'properties', propertiesNotSatisfied: [
                      { propertyName: 'quantity', details: [
                        { operatorName: 'bsonType', specifiedAs: { bsonType: 'int' }, reason: 'type did not match', consideredValue: '1', consideredType: 'string' } ] } ] },
                    { operatorName: 'required', specifiedAs: { required: ['sku'] }, missingProperties: ['sku'] } ] } ] } ] },
              { operatorName: 'required', specifiedAs: { required: ['total'] }, missingProperties: ['total', 'tax'] } ] } }
            """);

        Assert.Equal(
            [
                new RuleViolation("/currency", "pattern", "Must be three capital letters, as in ISO 4217."),
                new RuleViolation("/status", "enum", "Must be one of pending, paid, shipped, delivered, cancelled, refunded."),
                new RuleViolation("/lines/2/quantity", "type", "Must be a whole number."),
                new RuleViolation("/lines/2/sku", "required", "Is required."),
                new RuleViolation("/total", "required", "Is required."),
                new RuleViolation("/tax", "required", "Is required."),
            ],
            ServerRefusal.Violations(errInfo, CollectionCatalogue.Orders.Rules));
    }

    [Fact]
    public void Details_of_a_rule_over_several_fields_are_found_by_the_expression()
    {
        var rules = CollectionCatalogue.Inventory.Rules;
        var expr = rules.CrossField[0].ToBson();
        var errInfo = new BsonDocument("details", new BsonDocument
        {
            { "operatorName", "$and" },
            {
                "clausesNotSatisfied", new BsonArray
                {
                    new BsonDocument
                    {
                        { "index", 1 },
                        {
                            "details", new BsonDocument
                            {
                                { "operatorName", "$and" },
                                {
                                    "clausesNotSatisfied", new BsonArray
                                    {
                                        new BsonDocument
                                        {
                                            { "index", 0 },
                                            { "details", new BsonDocument
                                            {
                                                { "operatorName", "$expr" },
                                                { "specifiedAs", expr },
                                                { "reason", "expression did not match" },
                                            } },
                                        },
                                    }
                                },
                            }
                        },
                    },
                }
            },
        });

        Assert.Equal(
            new RuleViolation("/reserved", "reservedWithinOnHand", "Must not be more than onHand."),
            Assert.Single(ServerRefusal.Violations(errInfo, rules)));
    }

    [Fact]
    public void A_server_without_details_is_understood_by_judging_the_document_here()
    {
        var document = new DocumentSamples(CollectionCatalogue.Products, 1).Valid();
        document["status"] = "sold out";

        Assert.Equal(
            new RuleViolation("/status", "enum", "Must be one of draft, active, archived."),
            Assert.Single(ServerRefusal.Violations(null, CollectionCatalogue.Products.Rules, document)));
    }

    [Fact]
    public void What_nobody_can_explain_is_said_to_be_so()
    {
        var unknown = Assert.Single(ServerRefusal.Violations(null, CollectionCatalogue.Products.Rules));
        Assert.Equal(("", RuleCodes.Unnamed), (unknown.Pointer, unknown.Code));

        var obeying = new DocumentSamples(CollectionCatalogue.Products, 1).Valid();
        Assert.Equal(unknown, Assert.Single(ServerRefusal.Violations(null, CollectionCatalogue.Products.Rules, obeying)));
    }
}
