using MongoDB.Bson;
using MongoDB.Bson.Serialization;
using Platform.Data.Documents;
using Platform.Seeder;
using Platform.Seeder.Generation;
using Xunit;

namespace Platform.Tests.Unit.Seeder;

public sealed class SeedGeneratorTests
{
    private static readonly SeedSize Default = new();
    private static readonly SeedGenerator Generator = new(Default);
    private static readonly List<Tenant> Tenants = [.. Generator.Tenants()];
    private static readonly List<User> Users = [.. Generator.Users()];
    private static readonly List<Store> Stores = [.. Generator.Stores()];
    private static readonly List<Category> Categories = [.. Generator.Categories()];
    private static readonly List<Product> Products = [.. Generator.Products()];
    private static readonly List<InventoryItem> Inventory = [.. Generator.Inventory()];
    private static readonly List<Customer> Customers = [.. Generator.Customers()];
    private static readonly List<Order> Orders = [.. Generator.Orders()];

    [Fact]
    public void The_default_size_is_what_the_documentation_says()
    {
        Assert.Equal(
            (3, 12, 24, 1200, 600, 2400),
            (Tenants.Count, Stores.Count, Categories.Count, Products.Count, Customers.Count, Orders.Count));
        Assert.InRange(Inventory.Count, 1200, 3600);
    }

    [Fact]
    public void The_data_of_the_default_seed_is_known() =>
        Assert.Equal("c541edd12049e4525cb9aadd9fa6ce592d08efb52c514aae5281821435adb5ae", SeedWriter.ComputeHash(Default));

    [Fact]
    public void Another_seed_gives_other_data() =>
        Assert.NotEqual(SeedWriter.ComputeHash(Default with { Tenants = 1 }), SeedWriter.ComputeHash(Default with { Tenants = 1, Seed = 7 }));

    [Fact]
    public void Every_tenant_has_users_of_all_roles()
    {
        foreach (var tenant in Tenants)
        {
            Assert.Equal(Enum.GetValues<UserRole>(), Users.Where(user => user.TenantId == tenant.Id).Select(user => user.Role).Distinct().Order());
        }
    }

    [Fact]
    public void Every_reference_leads_to_a_document_of_the_same_tenant()
    {
        var tenants = Tenants.ToDictionary(tenant => tenant.Id, tenant => tenant.Id);
        var stores = Owners(Stores);
        var categories = Owners(Categories);
        var products = Owners(Products);
        var customers = Owners(Customers);

        AssertOwned(Users, user => [(tenants, user.TenantId)]);
        AssertOwned(Stores, store => [(tenants, store.TenantId)]);
        AssertOwned(Categories, category => category.ParentId is { } parent ? [(tenants, category.TenantId), (categories, parent)] : [(tenants, category.TenantId)]);
        AssertOwned(Products, product => [(tenants, product.TenantId), (categories, product.CategoryId)]);
        AssertOwned(Inventory, item => [(tenants, item.TenantId), (products, item.ProductId), (stores, item.StoreId)]);
        AssertOwned(Customers, customer => [(tenants, customer.TenantId)]);
        AssertOwned(Orders, order =>
        [
            (tenants, order.TenantId), (customers, order.CustomerId), (stores, order.StoreId),
            .. order.Lines.Select(line => (products, line.ProductId)),
        ]);
    }

    [Fact]
    public void Order_lines_copy_their_product_and_all_amounts_add_up()
    {
        var products = Products.ToDictionary(product => product.Id);
        foreach (var order in Orders)
        {
            Assert.NotEmpty(order.Lines);
            foreach (var line in order.Lines)
            {
                var product = products[line.ProductId];
                Assert.Equal((product.Sku, product.Name, product.Price, product.Currency), (line.Sku, line.Name, line.UnitPrice, order.Currency));
                Assert.Equal(line.UnitPrice * line.Quantity, line.Total);
                Assert.NotEqual(ProductStatus.Draft, product.Status);
            }

            Assert.Equal(order.Lines.Sum(line => line.Total), order.Subtotal);
            Assert.Equal(order.Subtotal + order.Tax, order.Total);
            Assert.True(order.Tax > 0 && order.Tax < order.Subtotal);
        }
    }

    [Fact]
    public void Orders_are_for_products_that_the_store_stocks_and_numbered_by_time()
    {
        var stocked = Inventory.Select(item => (item.StoreId, item.ProductId)).ToHashSet();
        Assert.All(Orders, order => Assert.All(order.Lines, line => Assert.Contains((order.StoreId, line.ProductId), stocked)));
        foreach (var tenant in Orders.GroupBy(order => order.TenantId))
        {
            Assert.Equal(tenant.OrderBy(order => order.Number).Select(order => order.Id), tenant.OrderBy(order => order.PlacedAt).ThenBy(order => order.Number).Select(order => order.Id));
            Assert.InRange((tenant.Max(order => order.PlacedAt) - tenant.Min(order => order.PlacedAt)).TotalDays, 85, 90);
            Assert.All(tenant, order => Assert.True(order.UpdatedAt >= order.PlacedAt));
        }
    }

    [Fact]
    public void Stock_is_sensible() => Assert.All(Inventory, item =>
    {
        Assert.InRange(item.Reserved, 0, item.OnHand);
        Assert.InRange(item.ReorderLevel, 1, 50);
    });

    [Fact]
    public void Keys_are_unique_also_at_a_larger_scale()
    {
        var generator = new SeedGenerator(new SeedSize { Scale = 7, Tenants = 4 });
        AssertUnique(generator.Tenants().Select(tenant => tenant.Slug));
        AssertUnique(generator.Users().Select(user => (user.TenantId, user.Email)));
        AssertUnique(generator.Stores().Select(store => (store.TenantId, store.Code)));
        AssertUnique(generator.Categories().Select(category => (category.TenantId, category.Slug)));
        AssertUnique(generator.Products().Select(product => (product.TenantId, product.Sku)));
        AssertUnique(generator.Inventory().Select(item => (item.TenantId, item.ProductId, item.StoreId)));
        AssertUnique(generator.Inventory().Select(item => item.Id));
        AssertUnique(generator.Customers().Select(customer => (customer.TenantId, customer.Email)));
    }

    [Fact]
    public void Every_kind_of_key_is_a_range_of_its_own_that_a_fresh_key_is_not_in()
    {
        var fresh = ObjectId.GenerateNewId();
        foreach (var part in SeedCollection.All(Default))
        {
            var (first, last) = SeedId.Range(part.Kind);
            var ids = part.Documents().Select(document => BsonSerializer.Deserialize<BsonDocument>(document)["_id"].AsObjectId).ToList();
            Assert.NotEmpty(ids);
            Assert.All(ids, id => Assert.True(id >= first && id <= last, part.Name));
            Assert.False(fresh >= first && fresh <= last);
            Assert.True(ids.Count <= part.ExpectedCount);
        }
    }

    private static Dictionary<ObjectId, ObjectId> Owners<TDocument>(IEnumerable<TDocument> documents)
        where TDocument : ITenantOwned => documents.ToDictionary(document => document.Id, document => document.TenantId);

    private static void AssertOwned<TDocument>(List<TDocument> documents, Func<TDocument, (Dictionary<ObjectId, ObjectId> Owners, ObjectId Id)[]> references)
        where TDocument : ITenantOwned
    {
        Assert.NotEmpty(documents);
        foreach (var document in documents)
        {
            foreach (var (owners, id) in references(document))
            {
                Assert.True(owners.TryGetValue(id, out var owner), $"{typeof(TDocument).Name} {document.Id} refers to {id}, which does not exist");
                Assert.Equal(document.TenantId, owner);
            }
        }
    }

    private static void AssertUnique<TKey>(IEnumerable<TKey> keys)
    {
        var all = keys.ToList();
        Assert.NotEmpty(all);
        Assert.Equal(all.Count, all.Distinct().Count());
    }
}
