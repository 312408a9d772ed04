using System.Text;
using MongoDB.Bson;
using MongoDB.Bson.Serialization;
using Platform.Data.Catalogue;
using Platform.Data.Validation;
using Xunit;

namespace Platform.Tests.Unit.Data;

public sealed class CollectionCatalogueTests
{
    private static IReadOnlyList<(CollectionDefinition Collection, IndexDefinition Index)> Indexes { get; } =

    [
        .. from server in Enum.GetValues<ServerKind>()
           from collection in CollectionCatalogue.All
           from index in collection.Indexes
           where server == ServerKind.MongoDb || index.Variants.ContainsKey(server)
           select (collection, index.On(server)),
    ];

    [Fact]
    public void Indexes_of_tenant_owned_collections_start_with_the_tenant_or_say_why_not()
    {
        var owned = Indexes.Where(entry => entry.Collection.IsTenantOwned).ToList();
        Assert.True(owned.Count >= 15, $"only {owned.Count} indexes were looked at");
        Assert.Empty(owned.Where(entry => entry.Index.Keys[0] != new IndexKey("tenantId") && entry.Index.TenantException is null).Select(Describe));
    }

    [Fact]
    public void No_index_that_starts_with_the_tenant_claims_to_be_an_exception()
    {
        var exceptions = Indexes.Where(entry => entry.Index.TenantException is not null).ToList();
        Assert.NotEmpty(exceptions);
        Assert.Empty(exceptions.Where(entry => entry.Index.Keys[0].Field == "tenantId").Select(Describe));
    }

    [Fact]
    public void Every_collection_but_the_tenants_themselves_is_owned_by_a_tenant()
    {
        var shared = Assert.Single(CollectionCatalogue.Domain, collection => !collection.IsTenantOwned);
        Assert.Equal(CollectionNames.Tenants, shared.Name);
    }

    [Fact]
    public void Every_indexed_and_shard_key_field_is_an_element_of_the_document()
    {
        var fields = Indexes.SelectMany(entry => entry.Index.Keys.Select(key => (entry.Collection, Field: key.Field)))
            .Concat(CollectionCatalogue.All.SelectMany(collection => collection.ShardKey.Fields.Select(field => (Collection: collection, Field: field))))
            .Concat(Indexes.Where(entry => entry.Index.PartialFilter is not null)
                .SelectMany(entry => entry.Index.PartialFilter!.Names.Select(field => (entry.Collection, Field: field))))
            .ToList();
        Assert.True(fields.Count > 40, $"only {fields.Count} fields were looked at");
        // MongoDB's own documents have no type here.
        Assert.Empty(fields.Where(entry => entry.Collection.DocumentType != typeof(BsonDocument))
            .Where(entry => BsonClassMap.LookupClassMap(entry.Collection.DocumentType).AllMemberMaps.All(map => map.ElementName != entry.Field))
            .Select(entry => $"{entry.Collection.Name}.{entry.Field}"));
    }

    [Fact]
    public void Names_are_unique_and_every_index_says_what_it_serves()
    {
        Assert.Equal(17, CollectionCatalogue.All.Select(collection => collection.Name).Distinct().Count());
        Assert.Equal(Indexes.Count, Indexes.Select(entry => (entry.Collection.Name, entry.Index.Name)).Distinct().Count());
        // But for the view of the history, which the access catalogue declares.
        var constants = typeof(CollectionNames).GetFields().Select(field => (string)field.GetRawConstantValue()!)
            .Where(name => name != CollectionNames.MigrationStates).Order(StringComparer.Ordinal);
        Assert.Equal(constants, CollectionCatalogue.All.Select(collection => collection.Name).Order(StringComparer.Ordinal));
        Assert.Empty(Indexes.Where(entry => entry.Index.Serves.Length < 10).Select(Describe));
    }

    [Fact]
    public void Every_index_answers_a_declared_query_or_keeps_a_rule()
    {
        Assert.Empty(Indexes.Where(entry => entry.Index is { Queries.Count: 0, Unique: false, ExpireAfter: null }).Select(Describe));
        Assert.Empty(CollectionCatalogue.All.SelectMany(collection => collection.Indexes.SelectMany(index => index.Queries).Concat(collection.KeyQueries)
            .GroupBy(query => query.Name).Where(group => group.Count() > 1).Select(group => $"{collection.Name}: {group.Key}")));
        Assert.Empty(Indexes.SelectMany(entry => entry.Index.Queries)
            .Where(query => query.Bound != QueryBound.Exact != query.BoundReason is not null)
            .Select(query => query.Name));
    }

    [Fact]
    public void Fields_of_an_index_stand_in_the_order_equality_sort_range_of_its_queries()
    {
        var looked = 0;
        foreach (var (collection, index) in Indexes.Where(entry => entry.Index.Keys.All(key => key.Kind is IndexKind.Ascending or IndexKind.Descending)))
        {
            foreach (var query in index.Queries.Where(query => query.Bound == QueryBound.Exact))
            {
                var command = query.Example(collection.DocumentType);
                var filter = QueryShape.FilterOf(command);
                var keys = index.Keys.Select(key => key.Field).ToList();
                var equal = filter.Where(element => element.Value is not BsonDocument operators || operators.Contains("$in")).Select(element => element.Name)
                    .Where(name => name != "$or" && index.PartialFilter?.Contains(name) != true).ToHashSet();
                Assert.True(equal.SetEquals(keys.Take(equal.Count)), $"{collection.Name}.{index.Name}: {query.Name} compares {string.Join(", ", equal)} first");
                var sort = QueryShape.SortOf(command)?.Names.Where(name => !equal.Contains(name)).ToList() ?? [];
                Assert.Equal(sort, keys.Skip(equal.Count).Take(sort.Count));
                looked++;
            }
        }

        Assert.True(looked >= 15, $"only {looked} queries were looked at");
    }

    [Fact]
    public void No_index_is_the_beginning_of_another_one()
    {
        var pairs = Indexes.SelectMany(left => Indexes.Where(right =>
                right.Collection == left.Collection && right.Index != left.Index && right.Index.PartialFilter == left.Index.PartialFilter && !left.Index.Unique)
            .Select(right => (left, right))).ToList();
        Assert.NotEmpty(pairs);
        Assert.Empty(pairs.Where(pair => pair.right.Index.Keys.Take(pair.left.Index.Keys.Count).SequenceEqual(pair.left.Index.Keys))
            .Select(pair => $"{Describe(pair.left)} begins {Describe(pair.right)}"));
    }

    [Theory]
    [InlineData("{ storageEngines: ['devnull', 'wiredTiger'], modules: ['enterprise'] }", ServerKind.MongoDb)]
    [InlineData("{ version: '8.0.0' }", ServerKind.MongoDb)]
    [InlineData("{ storageEngines: ['documentdb'] }", ServerKind.DocumentDb)]
    [InlineData("{ version: '7.0.77', ferretdb: { version: 'v2.7.0' } }", ServerKind.DocumentDb)]
    public void A_server_is_what_it_says_of_itself(string buildInfo, ServerKind server) =>
        Assert.Equal(server, ServerKinds.Of(BsonDocument.Parse(buildInfo)));

    [Fact]
    public void The_nearest_stores_are_found_behind_the_tenant_where_the_server_has_such_an_index()
    {
        Assert.Equal(BsonDocument.Parse("{ tenantId: 1, location: '2dsphere' }"), Near(ServerKind.MongoDb).KeyDocument());
        Assert.Null(Near(ServerKind.MongoDb).TenantException);
        Assert.Equal(BsonDocument.Parse("{ location: '2dsphere' }"), Near(ServerKind.DocumentDb).KeyDocument());
        Assert.NotNull(Near(ServerKind.DocumentDb).TenantException);

        static IndexDefinition Near(ServerKind server) =>
            CollectionCatalogue.Stores.IndexesFor(server, isTimeSeries: false).Single(index => index.Queries.Any(query => query.Name == "near"));
    }

    [Fact]
    public void No_search_rests_on_a_text_index_since_engines_cut_texts_into_words_differently() =>
        Assert.Empty(Indexes.Where(entry => entry.Index.IsText).Select(Describe));

    [Fact]
    public void The_words_of_products_are_indexed_behind_the_tenant_and_are_made_from_what_they_say()
    {
        var index = CollectionCatalogue.Products.Indexes.Single(index => index.Name == "active_words");
        Assert.Equal(BsonDocument.Parse("{ tenantId: 1, searchWords: 1 }"), index.KeyDocument());
        Assert.Equal(
            ["description", "name", "searchNameWords", "searchWords", "sku", "tags"], CollectionCatalogue.Products.Computed.Keys.Order(StringComparer.Ordinal));
        Assert.Empty(CollectionCatalogue.Orders.Computed);
    }

    [Fact]
    public void Every_tenant_owned_validator_requires_the_tenant_and_stays_under_the_engine_limit()
    {
        var owned = CollectionCatalogue.All.Where(collection => collection.IsTenantOwned).ToList();
        Assert.NotEmpty(owned);
        foreach (var collection in owned)
        {
            var schema = collection.Validator["$jsonSchema"].AsBsonDocument;
            Assert.Contains("tenantId", schema["required"].AsBsonArray);
            Assert.Contains("_id", schema["required"].AsBsonArray);
            Assert.True(Encoding.UTF8.GetByteCount(collection.Validator.ToJson()) < 10_240, collection.Name);
        }
    }

    [Fact]
    public void The_validator_of_orders_declares_types_limits_enums_and_nested_lines()
    {
        var properties = CollectionCatalogue.Orders.Validator["$jsonSchema"]["properties"].AsBsonDocument;
        Assert.Equal(
            BsonDocument.Parse("{ bsonType: 'decimal', minimum: NumberDecimal('0'), maximum: NumberDecimal('1000000000000') }"),
            properties["total"].AsBsonDocument);
        Assert.Equal("pending", properties["status"]["enum"][0].AsString);
        Assert.Equal(1, properties["lines"]["minItems"].AsInt32);
        var line = properties["lines"]["items"].AsBsonDocument;
        Assert.Contains("quantity", line["required"].AsBsonArray);
        Assert.Equal(1, line["properties"]["quantity"]["minimum"].AsInt32);
    }

    [Fact]
    public void Members_that_may_be_null_are_not_required()
    {
        var required = CollectionCatalogue.Customers.Validator["$jsonSchema"]["required"].AsBsonArray;
        Assert.DoesNotContain("phone", required);
        Assert.DoesNotContain("address", required);
        Assert.Contains("email", required);
        Assert.DoesNotContain("parentId", CollectionCatalogue.Categories.Validator["$jsonSchema"]["required"].AsBsonArray);
    }

    [Fact]
    public void Validators_use_only_keywords_that_MongoDB_enforces()
    {
        var used = CollectionCatalogue.Domain.SelectMany(collection => Keywords(collection.Validator["$jsonSchema"].AsBsonDocument)).ToHashSet();
        Assert.Contains("pattern", used);
        Assert.Empty(used.Except(EngineSupport.MongoDbKeywords));
    }

    [Fact]
    public void An_index_does_not_differ_from_what_the_server_lists_for_it()
    {
        // As listIndexes reports a text index: its fields stand in "weights", as doubles.
        var text = new IndexDefinition
        {
            Name = "tenant_text",
            Keys = [new("tenantId"), new("name", IndexKind.Text, 10), new("tags", IndexKind.Text, 5), new("description", IndexKind.Text)],
            Serves = "Words.",
        };
        var listed = BsonDocument.Parse("""
            { v: 2, key: { tenantId: 1, _fts: 'text', _ftsx: 1 }, name: 'tenant_text', default_language: 'english',
              weights: { name: 10.0, tags: 5.0, description: 1.0 }, textIndexVersion: 2 }
            """);
        Assert.Empty(text.DifferencesFrom(listed));
        listed["weights"]["name"] = 3;
        Assert.Equal(["weights"], text.DifferencesFrom(listed));
    }

    [Theory]
    [InlineData("{ key: { tenantId: 1, createdAt: -1, _id: -1 }, partialFilterExpression: { status: 'active' } }", null)]
    [InlineData("{ key: { tenantId: 1, createdAt: 1, _id: -1 }, partialFilterExpression: { status: 'active' } }", "key")]
    [InlineData("{ key: { tenantId: 1, createdAt: -1 }, partialFilterExpression: { status: 'active' } }", "key")]
    [InlineData("{ key: { tenantId: 1, createdAt: -1, _id: -1 } }", "partialFilterExpression")]
    [InlineData("{ key: { tenantId: 1, createdAt: -1, _id: -1 }, partialFilterExpression: { status: 'active' }, unique: true }", "unique")]
    [InlineData("{ key: { tenantId: 1, createdAt: -1, _id: -1 }, partialFilterExpression: { status: 'active' }, expireAfterSeconds: 5 }", "expireAfterSeconds")]
    public void The_difference_of_an_index_is_named(string listed, string? difference)
    {
        var index = CollectionCatalogue.Products.Indexes.Single(index => index.Name == "active_newest");
        Assert.Equal(difference, index.DifferencesFrom(BsonDocument.Parse(listed)).SingleOrDefault());
    }

    private static string Describe((CollectionDefinition Collection, IndexDefinition Index) entry) => $"{entry.Collection.Name}.{entry.Index.Name}";

    private static IEnumerable<string> Keywords(BsonDocument schema)
    {
        foreach (var element in schema)
        {
            yield return element.Name;
            var nested = element.Name switch
            {
                "properties" => element.Value.AsBsonDocument.SelectMany(property => Keywords(property.Value.AsBsonDocument)),
                "items" when element.Value is BsonArray tuple => tuple.SelectMany(item => Keywords(item.AsBsonDocument)),
                "items" => Keywords(element.Value.AsBsonDocument),
                _ => [],
            };
            foreach (var keyword in nested)
            {
                yield return keyword;
            }
        }
    }
}
