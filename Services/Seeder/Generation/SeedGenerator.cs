using System.Globalization;
using Bogus;
using MongoDB.Bson;
using MongoDB.Driver.GeoJsonObjectModel;
using Platform.Data.Documents;

namespace Platform.Seeder.Generation;

/// <summary>
/// Makes the seeded documents. Each one depends on the seed, its kind and its number alone, so any of them can be made again
/// wherever another one refers to it, and no more than one batch is ever in memory.
/// </summary>
/// <remarks>Not thread-safe. Times are counted back from a fixed moment: data that changed with the day could not be compared.</remarks>
internal sealed class SeedGenerator
{
    private static readonly DateTime Anchor = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);
    private static readonly TimeSpan OrderHistory = TimeSpan.FromDays(90);

    private static readonly UserRole[] Roles =
    [
        UserRole.Owner, UserRole.Admin, UserRole.Manager, UserRole.Staff, UserRole.Support, UserRole.ReadOnly,
        UserRole.Admin, UserRole.Manager, UserRole.Manager, UserRole.Staff, UserRole.Staff, UserRole.Support,
    ];

    private static readonly string[][] Departments =
    [
        ["Garden", "Tools", "Plants", "Furniture"],
        ["Kitchen", "Cookware", "Tableware", "Appliances"],
        ["Sports", "Camping", "Cycling", "Running"],
        ["Electronics", "Audio", "Computers", "Phones"],
        ["Clothing", "Jackets", "Shoes", "Accessories"],
        ["Toys", "Games", "Puzzles", "Models"],
    ];

    private readonly SeedSize _size;
    private readonly Faker _faker = new("en");

    public SeedGenerator(SeedSize size) => _size = size;

    public IEnumerable<Tenant> Tenants()
    {
        for (var tenant = 0; tenant < _size.Tenants; tenant++)
        {
            var profile = TenantProfile.For(tenant);
            var created = Anchor - TimeSpan.FromDays(720 - (tenant % 300));
            yield return new Tenant
            {
                Id = TenantId(tenant),
                Slug = profile.Slug,
                Name = profile.Name,
                Currency = profile.Currency,
                Status = TenantStatus.Active,
                CreatedAt = created,
                UpdatedAt = created,
            };
        }
    }

    public IEnumerable<User> Users() => PerTenant(Roles.Length, (tenant, index, number) =>
    {
        Restart(SeedKind.User, number);
        var domain = TenantProfile.For(tenant).Slug + ".example";
        var role = Roles[index];
        var repetition = Roles.Take(index).Count(other => other == role) + 1;
        var roleName = DocumentConventions.Stored(role).ToLowerInvariant();
        var created = Back(400, 700);
        return new User
        {
            Id = SeedId.Create(SeedKind.User, number),
            TenantId = TenantId(tenant),
            Email = repetition == 1 ? $"{roleName}@{domain}" : string.Create(CultureInfo.InvariantCulture, $"{roleName}{repetition}@{domain}"),
            DisplayName = _faker.Name.FullName(),
            Role = role,
            Status = UserStatus.Active,
            CreatedAt = created,
            UpdatedAt = created,
        };
    });

    public IEnumerable<Store> Stores() => PerTenant(_size.Stores, (tenant, index, number) =>
    {
        Restart(SeedKind.Store, number);
        var profile = TenantProfile.For(tenant);
        var city = profile.Cities[index % profile.Cities.Count];
        var branch = (index / profile.Cities.Count) + 1;
        var created = Back(400, 700);

        // About three kilometres around the centre; the further branches of a city a little wider.
        var spread = Math.Min(0.03 * Math.Sqrt(branch), 0.3);
        return new Store
        {
            Id = StoreId(tenant, index),
            TenantId = TenantId(tenant),
            Code = string.Create(CultureInfo.InvariantCulture, $"{city.Name[..3].ToUpperInvariant()}-{branch:00}"),
            Name = branch == 1 ? $"{profile.Name} {city.Name}" : string.Create(CultureInfo.InvariantCulture, $"{profile.Name} {city.Name} {branch}"),
            Address = AddressIn(city),
            Location = new GeoJsonPoint<GeoJson2DGeographicCoordinates>(new GeoJson2DGeographicCoordinates(
                Math.Round(city.Longitude + _faker.Random.Double(-spread, spread), 6),
                Math.Round(city.Latitude + _faker.Random.Double(-spread, spread), 6))),
            Status = branch > 1 && _faker.Random.Bool(0.05f) ? StoreStatus.Closed : StoreStatus.Open,
            CreatedAt = created,
            UpdatedAt = created,
        };
    });

    public IEnumerable<Category> Categories() => PerTenant(_size.Categories, (tenant, index, _) =>
    {
        var group = index / 4;
        var names = Departments[(group + tenant) % Departments.Length];
        var round = group / Departments.Length;
        var name = names[index % 4] + (round == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $" {round + 1}"));
        var root = index % 4 == 0;
        var created = Anchor - TimeSpan.FromDays(700);
        return new Category
        {
            Id = CategoryId(tenant, index),
            TenantId = TenantId(tenant),
            ParentId = root ? null : CategoryId(tenant, index - (index % 4)),
            Slug = name.ToLowerInvariant().Replace(' ', '-'),
            Name = name,
            Position = root ? group : (index % 4) - 1,
            CreatedAt = created,
            UpdatedAt = created,
        };
    });

    public IEnumerable<Product> Products() => PerTenant(_size.Products, (tenant, index, number) =>
    {
        var facts = Facts(tenant, index);

        // Three of four categories are leaves, and only these hold products.
        var leaf = _faker.Random.Int(0, (_size.Categories / 4 * 3) - 1);
        var created = Back(1, 600);
        return new Product
        {
            Id = ProductId(tenant, index),
            TenantId = TenantId(tenant),
            Sku = facts.Sku,
            Name = facts.Name,
            Description = _faker.Commerce.ProductDescription(),
            CategoryId = CategoryId(tenant, (leaf / 3 * 4) + 1 + (leaf % 3)),
            Price = facts.Price,
            Currency = TenantProfile.For(tenant).Currency,
            Tags = [.. new[] { _faker.Commerce.Color(), _faker.Commerce.ProductMaterial().ToLowerInvariant(), _faker.Commerce.ProductAdjective().ToLowerInvariant() }.Distinct()],
            Status = facts.Status,
            CreatedAt = created,
            UpdatedAt = Later(created, Anchor),
        };
    });

    public IEnumerable<InventoryItem> Inventory()
    {
        for (var tenant = 0; tenant < _size.Tenants; tenant++)
        {
            for (var product = 0; product < _size.Products; product++)
            {
                var stores = StoresOf(tenant, product);
                for (var i = 0; i < stores.Length; i++)
                {
                    var onHand = _faker.Random.Int(0, 200);
                    yield return new InventoryItem
                    {
                        Id = SeedId.Create(SeedKind.Inventory, (ProductNumber(tenant, product) * StoresPerProduct) + i),
                        TenantId = TenantId(tenant),
                        ProductId = ProductId(tenant, product),
                        StoreId = StoreId(tenant, stores[i]),
                        OnHand = onHand,
                        Reserved = _faker.Random.Int(0, onHand / 10),
                        ReorderLevel = _faker.Random.Int(5, 25),
                        UpdatedAt = Back(0, 30),
                    };
                }
            }
        }
    }

    public IEnumerable<Customer> Customers() => PerTenant(_size.Customers, (tenant, index, number) =>
    {
        Restart(SeedKind.Customer, number);
        var first = _faker.Name.FirstName();
        var last = _faker.Name.LastName();
        var cities = TenantProfile.For(tenant).Cities;
        var created = Back(91, 600);
        return new Customer
        {
            Id = SeedId.Create(SeedKind.Customer, number),
            TenantId = TenantId(tenant),
            Email = string.Create(CultureInfo.InvariantCulture, $"{Letters(first)}.{Letters(last)}.{index + 1}@mail.example"),
            Name = $"{first} {last}",
            Phone = _faker.Random.Bool(0.7f) ? _faker.Phone.PhoneNumber("+1-555-01##-####") : null,
            Address = _faker.Random.Bool(0.9f) ? AddressIn(cities[_faker.Random.Int(0, cities.Count - 1)]) : null,
            CreatedAt = created,
            UpdatedAt = created,
        };
    });

    public IEnumerable<Order> Orders() => PerTenant(_size.Orders, (tenant, index, number) =>
    {
        Restart(SeedKind.Order, number);
        var profile = TenantProfile.For(tenant);
        var store = _faker.Random.Int(0, _size.Stores - 1);
        var customer = _faker.Random.Int(0, _size.Customers - 1);
        var quantities = Enumerable.Range(0, _faker.Random.WeightedRandom([1, 2, 3, 4, 5], [0.4f, 0.3f, 0.15f, 0.1f, 0.05f]))
            .Select(_ => (Draw: _faker.Random.Int(0, int.MaxValue - 1), Quantity: _faker.Random.WeightedRandom([1, 2, 3, 6], [0.7f, 0.2f, 0.07f, 0.03f])))
            .ToArray();

        // In the order of their numbers over the whole time, so that a later number is a later order.
        var share = (index + _faker.Random.Double()) / _size.Orders;
        var placed = Truncated(Anchor - OrderHistory + (OrderHistory * share));
        var status = StatusAfter(Anchor - placed);
        var updated = Later(placed, placed + TimeSpan.FromDays(5) < Anchor ? placed + TimeSpan.FromDays(5) : Anchor);

        // Facts() starts the random numbers anew, so everything that is this order's own was drawn above.
        var lines = quantities.Select(line => (Product: SoldIn(tenant, store, line.Draw), line.Quantity))
            .DistinctBy(line => line.Product)
            .Select(line =>
            {
                var facts = Facts(tenant, line.Product);
                return new OrderLine
                {
                    ProductId = ProductId(tenant, line.Product),
                    Sku = facts.Sku,
                    Name = facts.Name,
                    Quantity = line.Quantity,
                    UnitPrice = facts.Price,
                    Total = facts.Price * line.Quantity,
                };
            })
            .ToArray();
        var subtotal = lines.Sum(line => line.Total);
        var tax = Math.Round(subtotal * profile.TaxRate, 2, MidpointRounding.AwayFromZero);
        return new Order
        {
            Id = SeedId.Create(SeedKind.Order, number),
            TenantId = TenantId(tenant),
            Number = string.Create(CultureInfo.InvariantCulture, $"S{index + 1:0000000}"),
            CustomerId = SeedId.Create(SeedKind.Customer, ((long)tenant * _size.Customers) + customer),
            StoreId = StoreId(tenant, store),
            Lines = lines,
            Currency = profile.Currency,
            Subtotal = subtotal,
            Tax = tax,
            Total = subtotal + tax,
            Status = status,
            PlacedAt = placed,
            UpdatedAt = updated,
        };
    });

    private static int StoresPerProduct => 3;

    private static ObjectId TenantId(int tenant) => SeedId.Create(SeedKind.Tenant, tenant);

    private ObjectId StoreId(int tenant, int store) => SeedId.Create(SeedKind.Store, ((long)tenant * _size.Stores) + store);

    private ObjectId CategoryId(int tenant, int category) => SeedId.Create(SeedKind.Category, ((long)tenant * _size.Categories) + category);

    private ObjectId ProductId(int tenant, int product) => SeedId.Create(SeedKind.Product, ProductNumber(tenant, product));

    private long ProductNumber(int tenant, int product) => ((long)tenant * _size.Products) + product;

    private IEnumerable<TDocument> PerTenant<TDocument>(int count, Func<int, int, long, TDocument> create)
    {
        for (var tenant = 0; tenant < _size.Tenants; tenant++)
        {
            for (var index = 0; index < count; index++)
            {
                yield return create(tenant, index, ((long)tenant * count) + index);
            }
        }
    }

    // A product's first draws: what an order line copies. Products() goes on drawing after them.
    private (string Sku, string Name, decimal Price, ProductStatus Status) Facts(int tenant, int product)
    {
        Restart(SeedKind.Product, ProductNumber(tenant, product));
        var name = _faker.Commerce.ProductName();
        var price = Math.Round((decimal)Math.Exp(_faker.Random.Double(1.2, 6.2)), 0) + 0.99m;
        var status = _faker.Random.WeightedRandom(
            [ProductStatus.Active, ProductStatus.Draft, ProductStatus.Archived], [0.92f, 0.04f, 0.04f]);
        var prefix = Letters(TenantProfile.For(tenant).Slug)[..3].ToUpperInvariant();
        return (string.Create(CultureInfo.InvariantCulture, $"{prefix}-{product + 1:000000}"), name, price, status);
    }

    // The store that has every product of this remainder, and up to two more.
    private int[] StoresOf(int tenant, int product)
    {
        Restart(SeedKind.Inventory, ProductNumber(tenant, product));
        var stores = new List<int> { product % _size.Stores };
        for (var i = 1; i < StoresPerProduct; i++)
        {
            stores.Add(_faker.Random.Int(0, _size.Stores - 1));
        }

        return [.. stores.Distinct()];
    }

    // A product that the store has and that is or was on sale: the draw says where to start looking.
    private int SoldIn(int tenant, int store, int draw)
    {
        var perStore = _size.Products / _size.Stores;
        for (var i = 0; ; i++)
        {
            var product = store + ((draw + i) % perStore * _size.Stores);
            if (Facts(tenant, product).Status != ProductStatus.Draft || i == perStore)
            {
                return product;
            }
        }
    }

    private OrderStatus StatusAfter(TimeSpan age) => age.TotalDays switch
    {
        < 1 => OrderStatus.Pending,
        < 3 => _faker.Random.WeightedRandom([OrderStatus.Pending, OrderStatus.Paid, OrderStatus.Cancelled], [0.2f, 0.75f, 0.05f]),
        < 7 => _faker.Random.WeightedRandom([OrderStatus.Paid, OrderStatus.Shipped, OrderStatus.Cancelled], [0.25f, 0.7f, 0.05f]),
        _ => _faker.Random.WeightedRandom([OrderStatus.Delivered, OrderStatus.Cancelled, OrderStatus.Refunded], [0.9f, 0.06f, 0.04f]),
    };

    private Address AddressIn(City city) => new()
    {
        Street = _faker.Address.StreetAddress(),
        City = city.Name,
        PostalCode = _faker.Random.ReplaceNumbers("#####"),
        Country = city.Country,
    };

    private DateTime Back(int leastDays, int mostDays) => Truncated(Anchor - TimeSpan.FromDays(_faker.Random.Double(leastDays, mostDays)));

    private DateTime Later(DateTime from, DateTime until) => Truncated(from + ((until - from) * _faker.Random.Double()));

    // BSON keeps milliseconds; whole seconds read better.
    private static DateTime Truncated(DateTime time) => new(time.Ticks - (time.Ticks % TimeSpan.TicksPerSecond), DateTimeKind.Utc);

    private static string Letters(string name) => new([.. name.ToLowerInvariant().Where(char.IsAsciiLetterLower)]);

    // Any good mixing function does; this is the finaliser of SplitMix64.
    private void Restart(SeedKind kind, long number)
    {
        unchecked
        {
            var x = ((ulong)(uint)_size.Seed << 32) ^ ((ulong)kind << 56) ^ (ulong)number;
            x += 0x9E3779B97F4A7C15;
            x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
            x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
            _faker.Random = new Randomizer((int)(x ^ (x >> 31)));
        }
    }
}
