using MongoDB.Bson;
using Platform.Data.Catalogue;
using Xunit;

namespace Platform.Tests.Unit.Data;

/// <summary>To which shards a cluster sends a command: MongoDB's rules, and the platform's own commands by them.</summary>
public sealed class CommandTargetingTests
{
    // products by tenantId and sku; users by tenantId; orders by tenantId and number, hashed; tenants not sharded.
    [Theory]
    [InlineData("{ find: 'products', filter: { tenantId: 1 } }")]
    [InlineData("{ find: 'products', filter: { tenantId: { $in: [1, 2] } } }")]
    [InlineData("{ find: 'products', filter: { tenantId: { $eq: 1 }, price: { $gt: 1 } } }")]
    [InlineData("{ find: 'products', filter: { $and: [{ price: 1 }, { tenantId: 1 }] } }")]
    [InlineData("{ find: 'products', filter: { $or: [{ tenantId: 1 }, { tenantId: 2, sku: 'a' }] } }")]
    [InlineData("{ find: 'products', filter: { $expr: { $eq: ['$tenantId', 1] } } }")]
    [InlineData("{ find: 'tenants', filter: { slug: 'a' } }")]
    [InlineData("{ find: 'unknown', filter: { } }")]
    [InlineData("{ count: 'orders', query: { tenantId: 1 } }")]
    [InlineData("{ distinct: 'orders', key: 'status', query: { tenantId: 1 } }")]
    [InlineData("{ explain: { find: 'products', filter: { tenantId: 1 } } }")]
    [InlineData("{ aggregate: 'products', pipeline: [{ $match: { price: 1 } }, { $match: { tenantId: 1 } }, { $group: { _id: 1 } }] }")]
    [InlineData("{ aggregate: 'stores', pipeline: [{ $geoNear: { near: 1, query: { tenantId: 1 } } }] }")]
    [InlineData("{ aggregate: 'products', pipeline: [{ $changeStream: { } }] }")]
    [InlineData("{ aggregate: 'products', pipeline: [{ $collStats: { } }] }")]
    [InlineData("{ aggregate: 1, pipeline: [{ $currentOp: { } }] }")]
    [InlineData("{ aggregate: 'orders', pipeline: [{ $match: { tenantId: 1 } }, { $lookup: { from: 'users', localField: 't', foreignField: 'tenantId' } }] }")]
    [InlineData("{ aggregate: 'orders', pipeline: [{ $match: { tenantId: 1 } }, { $lookup: { from: 'users', pipeline: [{ $match: { tenantId: 1 } }] } }] }")]
    [InlineData("{ aggregate: 'tenants', pipeline: [{ $lookup: { from: 'users', let: { t: '$_id' }, pipeline: "
        + "[{ $match: { $expr: { $and: [{ $eq: ['$tenantId', '$$t'] }] } } }] } }] }")]
    [InlineData("{ aggregate: 'orders', pipeline: [{ $match: { tenantId: 1 } }, { $lookup: { from: 'tenants', localField: 'a', foreignField: 'b' } }] }")]
    [InlineData("{ aggregate: 'orders', pipeline: [{ $match: { tenantId: 1 } }, { $unionWith: { coll: 'users', pipeline: [{ $match: { tenantId: 1 } }] } }] }")]
    [InlineData("{ aggregate: 'tenants', pipeline: [{ $merge: 'products' }] }")]
    [InlineData("{ aggregate: 'tenants', pipeline: [{ $merge: { into: 'products', on: ['_id', 'sku', 'tenantId'] } }] }")]
    [InlineData("{ aggregate: 'tenants', pipeline: [{ $out: 'copy' }] }")]
    [InlineData("{ insert: 'products', documents: [{ tenantId: 1, sku: 'a' }, { tenantId: 2, sku: 'b' }] }")]
    [InlineData("{ update: 'products', updates: [{ q: { tenantId: 1, _id: 1 }, u: { } }] }")]
    [InlineData("{ update: 'products', updates: [{ q: { tenantId: 1, sku: 'a' }, u: { } }] }")]
    [InlineData("{ update: 'products', updates: [{ q: { tenantId: 1, price: 1 }, u: { }, multi: true }] }")]
    [InlineData("{ update: 'products', updates: [{ q: { tenantId: 1, sku: 'a' }, u: { }, upsert: true }] }")]
    [InlineData("{ delete: 'products', deletes: [{ q: { tenantId: 1, _id: 1 }, limit: 1 }, { q: { tenantId: 1 }, limit: 0 }] }")]
    [InlineData("{ delete: 'users', deletes: [{ q: { tenantId: 1, email: 'a' }, limit: 1 }] }")]
    [InlineData("{ findAndModify: 'inventory', query: { tenantId: 1, productId: 1, storeId: 1 } }")]
    [InlineData("{ bulkWrite: 1, ops: [{ insert: 0, document: { tenantId: 1, sku: 'a' } }, { update: 1, filter: { slug: 'a' } }], "
        + "nsInfo: [{ ns: 'shop.products' }, { ns: 'shop.tenants' }] }")]
    [InlineData("{ getMore: 1, collection: 'products' }")]
    [InlineData("{ createIndexes: 'products', indexes: [] }")]
    [InlineData("{ ping: 1 }")]
    public void A_command_that_names_the_tenant_goes_to_its_shards(string command) => Assert.Null(Objection(command));

    [Theory]
    [InlineData("{ find: 'products', filter: { } }", "find on products names no value of tenantId")]
    [InlineData("{ find: 'products' }", "find on products names no value of tenantId")]
    [InlineData("{ find: 'products', filter: { _id: 1 } }", "find on products names no value of tenantId")]
    [InlineData("{ find: 'products', filter: { sku: 'a' } }", "find on products names no value of tenantId")]
    [InlineData("{ find: 'products', filter: { tenantId: { $ne: 1 } } }", "names no value of tenantId")]
    [InlineData("{ find: 'products', filter: { tenantId: { $gt: 1 } } }", "names no value of tenantId")]
    [InlineData("{ find: 'products', filter: { tenantId: { $in: [/a/] } } }", "names no value of tenantId")]
    [InlineData("{ find: 'products', filter: { $or: [{ tenantId: 1 }, { sku: 'a' }] } }", "names no value of tenantId")]
    [InlineData("{ find: 'products', filter: { $nor: [{ tenantId: 1 }] } }", "names no value of tenantId")]
    [InlineData("{ explain: { count: 'orders' } }", "count on orders names no value of tenantId")]
    [InlineData("{ aggregate: 'products', pipeline: [] }", "aggregate on products does not begin with a value of tenantId")]
    [InlineData("{ aggregate: 'products', pipeline: [{ $sort: { a: 1 } }, { $match: { tenantId: 1 } }] }", "does not begin with a value of tenantId")]
    [InlineData("{ aggregate: 'stores', pipeline: [{ $geoNear: { near: 1 } }] }", "does not begin with a value of tenantId")]
    [InlineData("{ aggregate: 'orders', pipeline: [{ $match: { tenantId: 1 } }, { $lookup: { from: 'users', localField: 'a', foreignField: '_id' } }] }",
        "$lookup in users does not look by tenantId")]
    [InlineData("{ aggregate: 'tenants', pipeline: [{ $facet: { a: [{ $lookup: { from: 'users', foreignField: '_id' } }] } }] }", "$lookup in users")]
    [InlineData("{ aggregate: 'tenants', pipeline: [{ $lookup: { from: 'other', pipeline: [{ $lookup: { from: 'users', pipeline: [] } }] } }] }",
        "$lookup in users")]
    [InlineData("{ aggregate: 'tenants', pipeline: [{ $graphLookup: { from: 'categories', connectToField: 'parentId' } }] }", "$graphLookup in categories")]
    [InlineData("{ aggregate: 'tenants', pipeline: [{ $unionWith: 'users' }] }", "aggregate on users does not begin")]
    [InlineData("{ aggregate: 'tenants', pipeline: [{ $unionWith: { coll: 'users' } }] }", "aggregate on users does not begin")]
    [InlineData("{ aggregate: 'tenants', pipeline: [{ $out: 'users' }] }", "$out cannot replace users")]
    [InlineData("{ aggregate: 'tenants', pipeline: [{ $merge: { into: { db: 'shop', coll: 'products' }, on: 'tenantId' } }] }",
        "$merge into products is not on all")]
    [InlineData("{ find: 'products', filter: { $expr: { $eq: ['$tenantId', '$owner'] } } }", "names no value of tenantId")]
    [InlineData("{ insert: 'products', documents: [{ tenantId: 1, sku: 'a' }, { tenantId: 1 }] }", "insert into products lacks sku")]
    [InlineData("{ update: 'products', updates: [{ q: { tenantId: 1, price: 1 }, u: { } }] }",
        "update of one document of products names neither all of the shard key")]
    [InlineData("{ update: 'products', updates: [{ q: { _id: 1 }, u: { } }] }", "update of one document of products names neither")]
    [InlineData("{ update: 'products', updates: [{ q: { sku: 'a' }, u: { }, multi: true }] }", "update of products names no value of tenantId")]
    [InlineData("{ update: 'products', updates: [{ q: { tenantId: 1, _id: 1 }, u: { }, upsert: true }] }", "An upsert on products does not name one value")]
    [InlineData("{ update: 'orders', updates: [{ q: { tenantId: { $in: [1, 2] }, number: 'a' }, u: { }, upsert: true }] }", "An upsert on orders")]
    [InlineData("{ delete: 'products', deletes: [{ q: { tenantId: 1 }, limit: 1 }] }", "delete of one document of products names neither")]
    [InlineData("{ delete: 'products', deletes: [{ q: { }, limit: 0 }] }", "delete of products names no value of tenantId")]
    [InlineData("{ findAndModify: 'products', query: { tenantId: 1, _id: 1 } }", "findAndModify on products does not name one value of all of the shard key")]
    [InlineData("{ bulkWrite: 1, ops: [{ delete: 0, filter: { tenantId: 1 }, multi: false }], nsInfo: [{ ns: 'shop.products' }] }", "delete of one document")]
    [InlineData("{ bulkWrite: 1, ops: [{ update: 0, filter: { a: 1 }, multi: true }], nsInfo: [{ ns: 'shop.products' }] }",
        "update of products names no value")]
    public void One_that_goes_to_all_shards_is_told_why(string command, string why) =>
        Assert.Contains(why, Objection(command) ?? "", StringComparison.Ordinal);

    [Fact]
    public void Every_declared_query_is_targeted()
    {
        var looked = 0;
        foreach (var collection in CollectionCatalogue.All)
        {
            var indexes = collection.IndexesFor(ServerKind.MongoDb, isTimeSeries: false);
            foreach (var query in indexes.SelectMany(index => index.Queries).Concat(collection.KeyQueries))
            {
                Assert.Null(CommandTargeting.Objection(query.Example(collection.DocumentType), Keys));
                looked++;
            }
        }

        Assert.True(looked >= 30, $"only {looked} queries were looked at");
    }

    /// <summary>What the function says of generated filters is what asking documents one by one says: no document of another tenant can match.</summary>
    [Fact]
    public void A_filter_that_is_called_targeted_matches_no_document_of_a_tenant_that_it_does_not_name()
    {
        var (targeted, not) = (0, 0);
        for (var seed = 0; seed < 5_000; seed++)
        {
            var filter = Filter(new Random(seed), depth: 3);
            var isTargeted = CommandTargeting.Objection(new BsonDocument { { "find", "products" }, { "filter", filter } }, Keys) is null;
            if (isTargeted)
            {
                // Tenant 9 is in no filter.
                Assert.All(Enumerable.Range(0, 3), sku => Assert.False(Matches(filter, tenant: 9, sku), $"seed {seed}: {filter}"));
                targeted++;
            }
            else
            {
                not++;
            }
        }

        Assert.True(targeted > 1_000 && not > 1_000, $"{targeted} {not}");
    }

    private static BsonDocument Filter(Random random, int depth) => random.Next(depth > 0 ? 8 : 5) switch
    {
        0 => new("tenantId", random.Next(3)),
        1 => new("tenantId", new BsonDocument("$in", new BsonArray { random.Next(3), random.Next(3) })),
        2 => new("tenantId", new BsonDocument(random.Next(2) == 0 ? "$ne" : "$gt", random.Next(3))),
        3 => new("sku", random.Next(3)),
        4 => new() { { "tenantId", random.Next(3) }, { "sku", new BsonDocument("$eq", random.Next(3)) } },
        5 => new("$and", new BsonArray { Filter(random, depth - 1), Filter(random, depth - 1) }),
        6 => new("$or", new BsonArray { Filter(random, depth - 1), Filter(random, depth - 1) }),
        _ => new("$nor", new BsonArray { Filter(random, depth - 1) }),
    };

    private static bool Matches(BsonDocument filter, int tenant, int sku) => filter.All(element => (element.Name, element.Value) switch
    {
        ("$and", BsonArray parts) => parts.All(part => Matches(part.AsBsonDocument, tenant, sku)),
        ("$or", BsonArray parts) => parts.Any(part => Matches(part.AsBsonDocument, tenant, sku)),
        ("$nor", BsonArray parts) => !parts.Any(part => Matches(part.AsBsonDocument, tenant, sku)),
        var (name, value) => (name == "tenantId" ? tenant : sku) is var own && value switch
        {
            BsonDocument operators => operators.GetElement(0) switch
            {
                { Name: "$in" } any => any.Value.AsBsonArray.Contains(own),
                { Name: "$ne" } other => other.Value != own,
                { Name: "$gt" } more => own > more.Value.AsInt32,
                var equal => equal.Value == own,
            },
            _ => value == own,
        },
    });

    private static ShardKey? Keys(string collection) => CollectionCatalogue.All.FirstOrDefault(known => known.Name == collection)?.ShardKey;

    private static string? Objection(string command) => CommandTargeting.Objection(BsonDocument.Parse(command), Keys);
}
