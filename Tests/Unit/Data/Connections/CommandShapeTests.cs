using MongoDB.Bson;
using Platform.Mongo.Connections;
using Xunit;

namespace Platform.Tests.Unit.Data.Connections;

public sealed class CommandShapeTests
{
    [Theory]
    [InlineData("find", "{ find: 'c', filter: { a: 1, b: { $gte: 'x' } }, sort: { a: -1 } }", "{ find: c, filter: { a: ?, b: { $gte: ? } }, sort: { a: ? } }")]
    [InlineData("find", "{ find: 'c', filter: { _id: { $in: [1, 2, 3] } } }", "{ find: c, filter: { _id: { $in: [? × 3] } } }")]
    [InlineData("aggregate", "{ aggregate: 'c', pipeline: [{ $match: { a: 1 } }, { $limit: 5 }], "
        + "cursor: {} }", "{ aggregate: c, pipeline: [{ $match: { a: ? } }, { $limit: ? }], cursor: {} }")]
    [InlineData("getMore", "{ getMore: NumberLong(7), collection: 'c' }", "{ getMore: ?, collection: c }")]
    [InlineData("createUser", "{ createUser: 'eve', pwd: 'x', roles: [] }", "{ createUser: ?, pwd: ?, roles: [] }")]
    [InlineData("find", "{ find: 'c', filter: { find: 'secret' } }", "{ find: c, filter: { find: ? } }")]
    [InlineData("ping", "{ ping: 1, $db: 'x', lsid: { id: 1 }, txnNumber: 1 }", "{ ping: ? }")]
    public void Names_stay_and_values_go(string command, string document, string shape) =>
        Assert.Equal(shape, CommandShape.Of(command, BsonDocument.Parse(document)));

    [Fact]
    public void A_shape_is_short_however_long_the_statement_is()
    {
        var wide = new BsonDocument(Enumerable.Range(0, 10_000).Select(i => new BsonElement($"field{i}", i)));
        var mixed = new BsonArray(Enumerable.Range(0, 10_000).Select(i => new BsonDocument($"field{i}", i)));

        Assert.InRange(CommandShape.Of("find", new BsonDocument("filter", wide)).Length, 900, 1200);
        Assert.InRange(CommandShape.Of("find", new BsonDocument("filter", mixed)).Length, 900, 1200);
    }

    [Fact]
    public void A_shape_is_shallow_however_deep_the_statement_is()
    {
        var deep = new BsonDocument("a", 1);
        for (var i = 0; i < 80; i++)
        {
            deep = new BsonDocument("a", deep);
        }

        Assert.Contains("…", CommandShape.Of("find", deep), StringComparison.Ordinal);
        Assert.InRange(CommandShape.Of("find", deep).Length, 10, 200);
    }
}
