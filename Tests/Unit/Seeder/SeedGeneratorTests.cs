using System.Text.RegularExpressions;
using MongoDB.Bson;
using MongoDB.Bson.Serialization;
using Platform.Data.Catalogue;
using Platform.Data.Documents;
using Platform.Data.Search;
using Platform.Data.Security;
using Platform.Seeder.Generation;
using Platform.Seeder.Storage;
using Xunit;

namespace Platform.Tests.Unit.Seeder;

public sealed class SeedGeneratorTests
{
    private static readonly SeedSize Default = new();
    private static readonly SeedSize Two = new() { Tenants = 2 };

    private const string KnownHash = "471f95dba904e79f6823f1527f278f0bd98fd79d218195d8a077aaf11cb0cf36";

    /// <summary>Sizes, seeds and ends that have nothing in common.</summary>
    public static TheoryData<int, int, int, string> Sizes => new()
    {
        { 2026, 3, 1, "2026-01-01" },
        { -1, 5, 1, "1999-03-01" },
        { int.MaxValue, 1, 4, "2024-02-29" },
        { int.MinValue, 2, 2, "2031-12-31" },
    };

    [Fact]
    public void The_default_size_is_what_the_documentation_says() => Assert.Equal(
        [
            ("tenants", 4), ("users", 48), ("stores", 16), ("categories", 32), ("products", 1600), ("inventory", 4800), ("customers", 800), ("orders", 3200),
            ("saleEvents", 6720), ("inventoryEvents", 7552),
        ],
        SeedCollection.All(Default).Select(part => (part.Name, (int)part.Count)));

    [Fact]
    public void The_data_of_the_default_seed_is_known()
    {
        var hash = SeedHash.Compute(Default);
        Assert.True(hash == KnownHash, $"The default seed gives other data now, with the hash {hash}: raise SeedSize.DataVersion, so that databases are "
            + $"seeded anew, and note the hash here.");
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void The_same_seed_gives_the_same_hash_and_any_other_setting_another(int seed, int tenants, int scale, string until)
    {
        var size = Size(seed, tenants, scale, until);
        foreach (var part in Others(size))
        {
            var hash = SeedHash.Compute(part);
            Assert.Equal(hash, SeedHash.Compute(Same(size with { })));
            Assert.NotEqual(hash, SeedHash.Compute(Same(size with { Until = size.Until.AddDays(1) })));
            Assert.NotEqual(hash, SeedHash.Compute(Same(size with { Tenants = tenants + 1 })));

            // Tenants and categories have nothing that is drawn.
            Assert.Equal(part.Kind is SeedKind.Tenant or SeedKind.Category, hash == SeedHash.Compute(Same(size with { Seed = unchecked(seed + 1) })));
            Assert.Equal(part.Kind is SeedKind.Tenant, hash == SeedHash.Compute(Same(size with { Scale = scale + 1 })));

            SeedCollection Same(SeedSize other) => SeedCollection.All(other).Single(known => known.Kind == part.Kind);
        }

        // Hashing passwords takes its time, so these are looked at alone.
        static IEnumerable<SeedCollection> Others(SeedSize size) => SeedCollection.All(size).Where(part => part.Kind != SeedKind.User);
    }

    [Fact]
    public void Users_are_the_same_for_the_same_seed_only()
    {
        var one = new SeedSize { Tenants = 1 };
        Assert.Equal(Users(one), Users(one with { }));
        Assert.NotEqual(Users(one), Users(one with { Seed = 1 }));

        static string Users(SeedSize size) => SeedHash.Compute(SeedCollection.All(size)[1]);
    }

    [Fact]
    public void A_document_depends_on_its_number_and_not_on_what_was_made_before()
    {
        foreach (var part in SeedCollection.All(Two))
        {
            var all = part.Documents().Select(Convert.ToHexString).ToList();
            Assert.Equal(part.Count, all.Count);
            var pieces = SeedPiece.Of([part], 37, _ => false).Reverse().ToList();
            var backwards =
                pieces.SelectMany(piece => piece.Documents().Select((document, i) => (Number: piece.From + i, Document: Convert.ToHexString(document))))
                .OrderBy(made => made.Number).Select(made => made.Document);
            Assert.Equal(all, backwards);
        }
    }

    [Fact]
    public void The_documents_of_a_tenant_are_left_out_without_a_change_to_the_others()
    {
        foreach (var part in SeedCollection.All(Default).Where(part => part.Kind != SeedKind.User))
        {
            var without = SeedPiece.Of([part], 100, tenant => tenant == 1).SelectMany(piece => piece.Documents()).Select(Convert.ToHexString);
            var perTenant = (int)part.CountPerTenant;
            Assert.Equal(part.Documents().Where((_, i) => i / perTenant != 1).Select(Convert.ToHexString), without);
        }
    }

    [Fact]
    public void Pieces_of_the_collection_with_a_text_index_are_spread_over_the_others_and_each_collection_keeps_its_order()
    {
        var parts = SeedCollection.All(new SeedSize { Scale = 2 });
        var mixed = SeedPiece.Mixed(parts, 50, _ => false).ToList();
        Assert.All(parts, part => Assert.Equal(SeedPiece.Of([part], 50, _ => false), mixed.Where(piece => piece.Part == part)));
        Assert.Equal(
            SeedPiece.Of(parts.Where(part => part.Kind != SeedKind.Product), 50, _ => false), mixed.Where(piece => piece.Part.Kind != SeedKind.Product));

        // In each tenth of the time about a tenth of them.
        var products = parts.Single(part => part.Kind == SeedKind.Product);
        var tenths = mixed.Chunk((mixed.Count + 9) / 10).Select(tenth => tenth.Count(piece => piece.Part == products)).ToList();
        Assert.Equal(10, tenths.Count);
        Assert.InRange(tenths.Max() - tenths.Min(), 0, 2);
        Assert.Equal(SeedPiece.Of([products], 50, _ => false), SeedPiece.Mixed([products], 50, _ => false));
    }

    [Fact]
    public void The_hash_of_pieces_that_come_in_another_order_is_the_hash_of_all()
    {
        var part = SeedCollection.All(Default)[4];
        using var hash = new SeedHash();
        foreach (var piece in SeedPiece.Of([part], 50, _ => false).Chunk(3).SelectMany(chunk => chunk.Reverse()))
        {
            hash.Add(piece.Index, piece.Documents());
        }

        Assert.Equal(SeedHash.Compute(part), hash.Finish());
    }

    [Fact]
    public void A_hash_with_a_gap_is_no_hash()
    {
        using var hash = new SeedHash();
        hash.Add(1, [[1]]);
        Assert.Throws<InvalidOperationException>(hash.Finish);
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Every_tenant_has_users_of_all_roles_who_can_sign_in(int seed, int tenants, int scale, string until)
    {
        var all = new Data(Size(seed, tenants, scale, until)).Users;
        foreach (var users in all.GroupBy(user => user.TenantId))
        {
            var active = users.Where(user => user.Status == UserStatus.Active).ToList();
            Assert.Equal(Enum.GetValues<UserRole>(), active.Select(user => user.Role).Distinct().Order());
        }

        Assert.Equal(tenants, all.Select(user => user.TenantId).Distinct().Count());
        foreach (var user in all.Take(SeedSize.Users))
        {
            Assert.Equal(user.Status != UserStatus.Invited, user.PasswordHash is not null);
            Assert.True(user.PasswordHash is null || PasswordHash.Verify(DevelopmentPasswords.For(seed, user.Role), user.PasswordHash));
            Assert.False(user.PasswordHash is not null && PasswordHash.Verify("another", user.PasswordHash));
        }

        // A salt for each user: equal passwords do not look equal.
        AssertUnique(all.Where(user => user.PasswordHash is not null).Select(user => user.PasswordHash!.Split('$')[3]));
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Every_reference_leads_to_a_document_of_the_same_tenant(int seed, int tenants, int scale, string until)
    {
        var owners = new Dictionary<(string Collection, ObjectId Id), ObjectId>();
        var references = 0;
        foreach (var part in SeedCollection.All(Size(seed, tenants, scale, until)))
        {
            var documents = part.Documents().Select(document => BsonSerializer.Deserialize<BsonDocument>(document)).ToList();
            foreach (var document in documents)
            {
                owners.Add((part.Name, document["_id"].AsObjectId), document[part.Kind == SeedKind.Tenant ? "_id" : "tenantId"].AsObjectId);
            }

            foreach (var document in documents)
            {
                foreach (var reference in part.References)
                {
                    foreach (var id in SeedKeys.Read(document, reference))
                    {
                        references++;
                        Assert.True(
                            owners.TryGetValue((reference.Target, id), out var owner), $"{part.Name} {document["_id"]}: {reference.Path} {id} leads nowhere");
                        Assert.Equal(document["tenantId"].AsObjectId, owner);
                    }
                }
            }
        }

        Assert.True(references > 1000);
    }

    [Fact]
    public void Every_key_of_another_document_is_declared_as_a_reference()
    {
        foreach (var part in SeedCollection.All(Default))
        {
            var declared = part.References.Select(reference => reference.Path).Order();
            Assert.Equal(Keys(part.Definition.DocumentType, "").Order(), declared);
        }

        static IEnumerable<string> Keys(Type type, string prefix) => type.GetProperties().SelectMany(property =>
        {
            var name = prefix + char.ToLowerInvariant(property.Name[0]) + property.Name[1..];
            return (Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType) == typeof(ObjectId) ? property.Name == "Id" ? [] : [name]
                : property.PropertyType == typeof(IReadOnlyList<OrderLine>) ? Keys(typeof(OrderLine), name + ".")
                : Array.Empty<string>();
        });
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Orders_agree_with_products_stock_customers_and_themselves(int seed, int tenants, int scale, string until)
    {
        var size = Size(seed, tenants, scale, until);
        var data = new Data(size);
        var end = size.Until.ToDateTime(TimeOnly.MinValue, DateTimeKind.Utc);
        var products = data.Products.ToDictionary(product => product.Id);
        var customers = data.Customers.ToDictionary(customer => customer.Id);
        var stocked = data.Inventory.Select(item => (item.StoreId, item.ProductId)).ToHashSet();
        foreach (var order in data.Orders)
        {
            Assert.Equal(order.Lines.Sum(line => line.Total), order.Subtotal);
            Assert.Equal(order.Subtotal + order.Tax, order.Total);
            Assert.NotEmpty(order.Lines);
            AssertUnique(order.Lines.Select(line => line.ProductId));
            foreach (var line in order.Lines)
            {
                var product = products[line.ProductId];
                Assert.Equal((product.Sku, product.Name, product.Price, product.Currency), (line.Sku, line.Name, line.UnitPrice, order.Currency));
                Assert.Equal(line.UnitPrice * line.Quantity, line.Total);
                Assert.NotEqual(ProductStatus.Draft, product.Status);
                Assert.Contains((order.StoreId, line.ProductId), stocked);
                Assert.True(product.CreatedAt < order.PlacedAt);
            }

            Assert.Equal(order.Lines.Sum(line => line.Quantity), order.ItemCount);

            // Tax is computed from the country's rate, and rounded to the cent.
            Assert.InRange(order.Tax / order.Subtotal, 0.07m, 0.21m);
            Assert.Equal(decimal.Round(order.Tax, 2), order.Tax);
            Assert.True(customers[order.CustomerId].CreatedAt < order.PlacedAt);
            Assert.True(order.PlacedAt <= order.UpdatedAt && order.UpdatedAt <= end);
        }
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Orders_fill_the_90_days_in_the_order_of_their_numbers(int seed, int tenants, int scale, string until)
    {
        var size = Size(seed, tenants, scale, until);
        var end = size.Until.ToDateTime(TimeOnly.MinValue, DateTimeKind.Utc);
        foreach (var orders in new Data(size).Orders.GroupBy(order => order.TenantId))
        {
            var byNumber = orders.OrderBy(order => order.Number, StringComparer.Ordinal).Select(order => order.PlacedAt).ToList();
            Assert.Equal(byNumber.Order(), byNumber);
            Assert.All(byNumber, placed => Assert.InRange(placed, end.AddDays(-90), end.AddTicks(-1)));
            Assert.Equal(90, byNumber.Select(placed => placed.Date).Distinct().Count());

            // People buy by day and in the evening, and settle their orders.
            Assert.True(byNumber.Count(placed => placed.Hour is >= 18 and < 22) > 3 * byNumber.Count(placed => placed.Hour is >= 1 and < 5));
            Assert.All(
                orders.Where(order => end - order.PlacedAt > TimeSpan.FromDays(7)),
                order => Assert.True(order.Status is OrderStatus.Delivered or OrderStatus.Cancelled or OrderStatus.Refunded));
            Assert.Contains(orders, order => order.Status == OrderStatus.Paid);
        }
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Stock_orders_and_events_tell_the_same_story(int seed, int tenants, int scale, string until)
    {
        var size = Size(seed, tenants, scale, until);
        var data = new Data(size);
        var end = size.Until.ToDateTime(TimeOnly.MinValue, DateTimeKind.Utc);
        var held = data.Orders.Where(order => order.Status is OrderStatus.Pending or OrderStatus.Paid)
            .SelectMany(order => order.Lines.Select(line => (Key: (order.StoreId, line.ProductId), line.Quantity)))
            .GroupBy(line => line.Key, line => line.Quantity).ToDictionary(line => line.Key, line => line.Sum());
        Assert.NotEmpty(held);
        var changes = data.InventoryEvents.GroupBy(change => (change.StoreId, change.ProductId)).ToDictionary(change => change.Key, change => change.ToList());
        foreach (var item in data.Inventory)
        {
            Assert.Equal(held.GetValueOrDefault((item.StoreId, item.ProductId)), item.Reserved);
            Assert.InRange(item.Reserved, 0, item.OnHand);
            Assert.Equal(changes.ContainsKey((item.StoreId, item.ProductId)), item.Sequence is not null);
        }

        var stock = data.Inventory.ToDictionary(item => (item.StoreId, item.ProductId));
        foreach (var (key, history) in changes)
        {
            var item = stock[key];
            var onHand = 0;
            foreach (var (change, number) in history.Select((change, number) => (change, number)))
            {
                Assert.Equal(number + 1, change.Sequence);
                Assert.Equal(onHand += change.Change, change.OnHand);
                Assert.True(change.OnHand >= 0 && change.At <= end && (number == 0 || change.At >= history[number - 1].At));
            }

            Assert.Equal((item.OnHand, item.Sequence), (onHand, history.Count));
        }

        // What was shipped was sold from stock, and what was refunded came back; every line of every order is a sale.
        var left = data.Orders.Where(order => order.Status is OrderStatus.Shipped or OrderStatus.Delivered or OrderStatus.Refunded).ToList();
        Assert.Equal(
            left.Sum(order => order.ItemCount), -data.InventoryEvents.Where(change => change.Kind == InventoryEventKind.Sold).Sum(change => change.Change));
        Assert.Equal(
            left.Where(order => order.Status == OrderStatus.Refunded).Sum(order => order.ItemCount),
            data.InventoryEvents.Where(change => change.Kind == InventoryEventKind.Returned).Sum(change => change.Change));
        Assert.Equal(
            data.Orders.SelectMany(order => order.Lines.Select(
                line => (order.Id, order.PlacedAt, order.StoreId, line.ProductId, line.Quantity, line.Total, order.Currency))),
            data.SaleEvents.Select(sale => (sale.OrderId, sale.At, sale.StoreId, sale.ProductId, sale.Quantity, sale.Total, sale.Currency)));
    }

    [Fact]
    public void There_is_something_to_try_every_path_of_the_api_with()
    {
        var data = new Data(Default);
        Assert.Equal([TenantStatus.Active, TenantStatus.Active, TenantStatus.Active, TenantStatus.Suspended], data.Tenants.Select(tenant => tenant.Status));
        foreach (var tenant in data.Tenants.Select(tenant => tenant.Id))
        {
            Assert.Equal(
                [StoreStatus.Open, StoreStatus.Open, StoreStatus.Open, StoreStatus.Closed],
                data.Stores.Where(store => store.TenantId == tenant).Select(store => store.Status));
            var onSale = data.Products.Where(product => product.TenantId == tenant && product.Status == ProductStatus.Active)
                .Select(product => product.Id).ToHashSet();
            var free = data.Inventory.Where(item => onSale.Contains(item.ProductId))
                .GroupBy(item => item.ProductId, item => item.OnHand - item.Reserved)
                .ToDictionary(product => product.Key, product => product.Sum());
            Assert.InRange(free.Count(product => product.Value == 0), 5, 20);
            Assert.Equal(
                Enum.GetValues<OrderStatus>().Order(),
                data.Orders.Where(order => order.TenantId == tenant).Select(order => order.Status).Distinct().Order());
            Assert.Equal(
                Enum.GetValues<ProductStatus>().Order(),
                data.Products.Where(product => product.TenantId == tenant).Select(product => product.Status).Distinct().Order());
        }

        // The product that the readme asks for.
        var readme = File.ReadAllText(Path.Combine(Repository.Root, "README.md"));
        var asked = ObjectId.Parse(Regex.Match(readme, "products/([0-9a-f]{24})").Groups[1].Value);
        Assert.Equal(ProductStatus.Active, data.Products.Single(product => product.Id == asked).Status);
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Stores_are_near_their_city_and_stock_is_sensible(int seed, int tenants, int scale, string until)
    {
        var data = new Data(Size(seed, tenants, scale, until));
        foreach (var store in data.Stores)
        {
            var country = new[] { Country.Germany, Country.UnitedStates, Country.UnitedKingdom }.Single(country => country.Code == store.Address.Country);
            var city = country.Cities.Single(city => city.Name == store.Address.City);
            Assert.InRange(store.Location.Coordinates.Longitude - city.Longitude, -0.25, 0.25);
            Assert.InRange(store.Location.Coordinates.Latitude - city.Latitude, -0.25, 0.25);
        }

        Assert.All(data.Inventory, item =>
        {
            Assert.InRange(item.Reserved, 0, item.OnHand);
            Assert.InRange(item.ReorderLevel, 1, 50);
        });
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void What_has_to_be_unique_is(int seed, int tenants, int scale, string until)
    {
        var data = new Data(Size(seed, tenants, scale, until));
        AssertUnique(data.Tenants.Select(tenant => tenant.Slug));
        AssertUnique(data.Tenants.Select(tenant => tenant.Name));
        AssertUnique(data.Users.Select(user => (user.TenantId, user.Email)));
        AssertUnique(data.Stores.Select(store => (store.TenantId, store.Code)));
        AssertUnique(data.Categories.Select(category => (category.TenantId, category.Slug)));
        AssertUnique(data.Products.Select(product => (product.TenantId, product.Sku)));
        AssertUnique(data.Inventory.Select(item => (item.TenantId, item.ProductId, item.StoreId)));
        AssertUnique(data.Customers.Select(customer => (customer.TenantId, customer.Email)));
        AssertUnique(data.Orders.Select(order => (order.TenantId, order.Number)));
    }

    [Fact]
    public void Categories_have_names_of_their_own_however_many_there_are()
    {
        var part = SeedCollection.All(new SeedSize { Tenants = 1, Scale = 200 })[3];
        AssertUnique(part.Documents().Select(document => BsonSerializer.Deserialize<Category>(document).Slug));
    }

    [Fact]
    public void Every_kind_of_key_is_a_range_of_its_own_in_order_that_a_fresh_key_is_not_in()
    {
        var fresh = ObjectId.GenerateNewId();
        foreach (var part in SeedCollection.All(Default))
        {
            var (first, last) = SeedId.Range(part.Kind);
            var ids = part.Documents().Select(document => new RawBsonDocument(document)["_id"].AsObjectId).ToList();
            Assert.All(ids, id => Assert.True(id >= first && id <= last, part.Name));
            Assert.Equal(ids.Order(), ids);
            Assert.Equal(
                ids.Select((_, i) => (true, i)),
                ids.Select(id => (SeedId.TryRead(id, part.Kind, out var tenant, out var number), (int)((tenant * part.CountPerTenant) + number))));
            Assert.Equal(ids, ids.Select((_, i) => part.Key(i)));
            Assert.False(SeedId.TryRead(fresh, part.Kind, out _, out _));
            Assert.False(fresh >= first && fresh <= last);
        }
    }

    [Fact]
    public void A_key_is_of_the_same_tenant_in_every_size()
    {
        var owners = new Dictionary<(string Collection, ObjectId Id), ObjectId>();
        foreach (var size in new SeedSize[] { new() { Tenants = 2 }, new() { Tenants = 5, Scale = 2 }, new() { Tenants = 3, Scale = 7, Seed = 1 } })
        {
            foreach (var part in SeedCollection.All(size).Where(part => part.Kind is not (SeedKind.User or SeedKind.Order)))
            {
                foreach (var document in part.Documents().Select(document => new RawBsonDocument(document)))
                {
                    var owner = document[part.Kind == SeedKind.Tenant ? "_id" : "tenantId"].AsObjectId;
                    Assert.True(
                        owners.TryAdd((part.Name, document["_id"].AsObjectId), owner) || owners[(part.Name, document["_id"].AsObjectId)] == owner,
                        $"{part.Name} {document["_id"]}");
                }
            }
        }
    }

    [Fact]
    public void Every_day_that_the_history_may_end_with_gives_documents_that_obey()
    {
        var random = new Random(1);
        var days = SeedSize.LatestUntil.DayNumber - SeedSize.EarliestUntil.DayNumber;
        foreach (var until in new[] { SeedSize.EarliestUntil, SeedSize.LatestUntil }.Concat(
            Enumerable.Range(0, 4).Select(_ => SeedSize.EarliestUntil.AddDays(random.Next(days)))))
        {
            foreach (var part in SeedCollection.All(new SeedSize { Tenants = 1, Until = until, Seed = random.Next() })
                .Where(part => part.Kind != SeedKind.User))
            {
                Assert.Equal(part.Count, part.Documents().Count());
                Assert.All(
                    part.Documents(0, part.Count / part.Units),
                    document => Assert.Empty(part.Definition.Rules.Evaluate(BsonSerializer.Deserialize<BsonDocument>(document))));
            }
        }
    }

    [Fact]
    public void The_search_of_the_readme_finds_products_on_sale_of_its_tenant()
    {
        var readme = File.ReadAllText(Path.Combine(Repository.Root, "README.md"));
        var slug = Regex.Match(readme, "tenant=([a-z-]+)").Groups[1].Value;
        var search = SearchQuery.Parse(Uri.UnescapeDataString(Regex.Match(readme, "search=([^&\"]+)").Groups[1].Value))!;
        var data = new Data(Default);
        var tenant = data.Tenants.Single(tenant => tenant.Slug == slug).Id;
        Assert.Contains(data.Products, product => product.TenantId == tenant && product.Status == ProductStatus.Active
            && search.Words.All(product.SearchWords!.Contains)
                && product.SearchWords!.Any(word => word.StartsWith(search.Beginning, StringComparison.Ordinal)));
    }

    [Fact]
    public void Every_tenant_has_a_product_on_sale_that_the_words_of_its_name_find()
    {
        foreach (var products in new Data(Default).Products.GroupBy(product => product.TenantId))
        {
            var product = products.First(product => product.Status == ProductStatus.Active);
            Assert.Equal(SearchText.Distinct([product.Name], 10), product.SearchWords!.Take(product.SearchNameWords!.Value));
            Assert.Contains(product.Sku.Split('-')[1], product.SearchWords!);
        }
    }

    [Fact]
    public void Documents_obey_every_rule_of_the_catalogue()
    {
        foreach (var part in SeedCollection.All(Default))
        {
            Assert.NotEmpty(part.Definition.Rules.Fields);
            foreach (var document in part.Documents())
            {
                Assert.Empty(part.Definition.Rules.Evaluate(BsonSerializer.Deserialize<BsonDocument>(document)));
            }
        }
    }

    [Fact]
    public void Collections_that_are_named_bring_those_that_they_refer_to()
    {
        var all = SeedCollection.All(Default);
        Assert.Equal(["tenants"], Names("tenants"));
        Assert.Equal(["tenants", "users"], Names("users"));
        Assert.Equal(["tenants", "stores", "categories", "products", "inventory"], Names("inventory"));
        Assert.Equal(["tenants", "stores", "categories", "products", "customers", "orders"], Names("orders"));
        Assert.Equal(
            ["tenants", "stores", "categories", "products", "customers", "orders", "saleEvents"], Names("saleEvents"));
        Assert.Equal(CollectionCatalogue.Domain.Select(collection => collection.Name), Names("inventory", "saleEvents", "inventoryEvents", "users"));

        IEnumerable<string> Names(params string[] names) => SeedCollection.WithReferenced(all, names).Select(part => part.Name);
    }

    private static SeedSize Size(int seed, int tenants, int scale, string until) => new()
    {
        Seed = seed,
        Tenants = tenants,
        Scale = scale,
        Until = DateOnly.ParseExact(until, SeedSize.DateFormat, System.Globalization.CultureInfo.InvariantCulture),
    };

    private static void AssertUnique<TKey>(IEnumerable<TKey> keys)
    {
        var all = keys.ToList();
        Assert.NotEmpty(all);
        Assert.Equal(all.Count, all.Distinct().Count());
    }

    private sealed class Data(SeedSize size)
    {
        private readonly Dictionary<string, SeedCollection> _parts = SeedCollection.All(size).ToDictionary(part => part.Name);

        public IReadOnlyList<Tenant> Tenants => Read<Tenant>("tenants");

        public IReadOnlyList<User> Users => Read<User>("users");

        public IReadOnlyList<Store> Stores => Read<Store>("stores");

        public IReadOnlyList<Category> Categories => Read<Category>("categories");

        public IReadOnlyList<Product> Products => Read<Product>("products");

        public IReadOnlyList<InventoryItem> Inventory => Read<InventoryItem>("inventory");

        public IReadOnlyList<Customer> Customers => Read<Customer>("customers");

        public IReadOnlyList<Order> Orders => Read<Order>("orders");

        public IReadOnlyList<SaleEvent> SaleEvents => Read<SaleEvent>("saleEvents");

        public IReadOnlyList<InventoryEvent> InventoryEvents => Read<InventoryEvent>("inventoryEvents");

        private List<TDocument> Read<TDocument>(string collection) =>
            [.. _parts[collection].Documents().Select(document => BsonSerializer.Deserialize<TDocument>(document))];
    }
}
