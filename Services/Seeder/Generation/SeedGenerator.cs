using System.Globalization;
using MongoDB.Bson;
using MongoDB.Driver.GeoJsonObjectModel;
using Platform.Data.Documents;
using Platform.Data.Security;

namespace Platform.Seeder.Generation;

/// <summary>
/// Makes the seeded documents. Each one depends on the seed, its kind and its number alone, so any of them can be made again
/// wherever another one refers to it, any part of them can be made anywhere, and none has to be kept. Thread-safe.
/// </summary>
internal sealed class SeedGenerator
{
    public const int HistoryDays = 90;

    // Every role once, then those that a tenant has more people of.
    private static readonly UserRole[] s_roles =
    [
        UserRole.Owner, UserRole.Admin, UserRole.Manager, UserRole.Staff, UserRole.Support, UserRole.ReadOnly,
        UserRole.Admin, UserRole.Manager, UserRole.Staff, UserRole.Staff, UserRole.Staff, UserRole.Support,
    ];

    private const int InvitedUser = 9;
    private const int DisabledUser = 10;

    private static readonly string[] s_mailDomains = ["mail.example", "post.example", "inbox.example"];

    private readonly SeedSize _size;
    private readonly DateTime _until;
    private readonly OrderClock _orderClock;
    private readonly string[] _passwords;
    private readonly TenantProfile[] _profiles;

    public SeedGenerator(SeedSize size)
    {
        _size = size;
        _until = size.Until.ToDateTime(TimeOnly.MinValue, DateTimeKind.Utc);
        _orderClock = new OrderClock(_until, HistoryDays);
        _passwords = [.. Enum.GetValues<UserRole>().Select(role => DevelopmentPasswords.For(size.Seed, role))];
        _profiles = [.. Enumerable.Range(0, size.Tenants).Select(TenantProfile.For)];
    }

    public static ObjectId TenantId(int tenant) => SeedId.Create(SeedKind.Tenant, tenant, 0);

    public Tenant Tenant(long number)
    {
        var tenant = (int)number;
        var profile = _profiles[tenant];
        var created = _until - TimeSpan.FromDays(720 - (tenant % 300));
        return new Tenant
        {
            Id = TenantId(tenant),
            Slug = profile.Slug,
            Name = profile.Name,
            Currency = profile.Country.Currency,
            Status = TenantStatus.Active,
            CreatedAt = created,
            UpdatedAt = created,
        };
    }

    public User User(long number)
    {
        var (tenant, index) = Place(number, SeedSize.Users);
        var random = Random(SeedKind.User, number);
        var profile = _profiles[tenant];
        var words = Vocabulary.For(profile.Country.Locale);
        var role = s_roles[index];
        var status = index switch
        {
            InvitedUser => UserStatus.Invited,
            DisabledUser => UserStatus.Disabled,
            _ => UserStatus.Active,
        };
        var repetition = s_roles.Take(index).Count(other => other == role) + 1;
        var roleName = DocumentConventions.Stored(role).ToLowerInvariant();
        var created = Back(random, 400, 700);

        // Drawn whether it is needed or not, so that nothing else depends on it.
        Span<byte> salt = stackalloc byte[PasswordHash.SaltLength];
        random.Fill(salt);
        return new User
        {
            Id = SeedId.Create(SeedKind.User, tenant, index),
            TenantId = TenantId(tenant),
            Email = string.Create(CultureInfo.InvariantCulture, $"{roleName}{(repetition == 1 ? "" : repetition)}@{profile.Slug}.example"),
            DisplayName = $"{random.Pick(words.FirstNames)} {random.Pick(words.LastNames)}",
            PasswordHash = status == UserStatus.Invited ? null : PasswordHash.Create(_passwords[(int)role], salt, DevelopmentPasswords.Iterations),
            Role = role,
            Status = status,
            CreatedAt = created,
            UpdatedAt = created,
        };
    }

    public Store Store(long number)
    {
        var (tenant, index) = Place(number, _size.Stores);
        var random = Random(SeedKind.Store, number);
        var profile = _profiles[tenant];
        var cities = profile.Country.Cities;
        var city = cities[index % cities.Count];
        var branch = (index / cities.Count) + 1;
        var created = Back(random, 400, 700);

        // The first three kilometres or so around the centre; later branches of a city lie further out.
        var spread = Math.Min(0.03 * Math.Sqrt(branch), 0.25);
        return new Store
        {
            Id = StoreId(tenant, index),
            TenantId = TenantId(tenant),
            Code = string.Create(CultureInfo.InvariantCulture, $"{city.Code}-{branch:00}"),
            Name = branch == 1 ? $"{profile.Name} {city.Name}" : string.Create(CultureInfo.InvariantCulture, $"{profile.Name} {city.Name} {branch}"),
            Address = AddressIn(profile.Country, city, random),
            Location = new GeoJsonPoint<GeoJson2DGeographicCoordinates>(new GeoJson2DGeographicCoordinates(
                Math.Round(city.Longitude + (((2 * random.Share()) - 1) * spread), 6),
                Math.Round(city.Latitude + (((2 * random.Share()) - 1) * spread), 6))),
            Status = branch > 1 && random.Chance(0.05) ? StoreStatus.Closed : StoreStatus.Open,
            CreatedAt = created,
            UpdatedAt = created,
        };
    }

    public Category Category(long number)
    {
        var (tenant, index) = Place(number, _size.Categories);
        var (department, line) = DepartmentOf(tenant, index / 4);
        var child = (index % 4) - 1;
        var name = (child < 0 ? department.Name : department[child].Name) + line;
        var created = _until - TimeSpan.FromDays(700);
        return new Category
        {
            Id = CategoryId(tenant, index),
            TenantId = TenantId(tenant),
            ParentId = child < 0 ? null : CategoryId(tenant, index - (index % 4)),
            Slug = name.ToLowerInvariant().Replace(' ', '-'),
            Name = name,
            Position = child < 0 ? index / 4 : child,
            CreatedAt = created,
            UpdatedAt = created,
        };
    }

    public Product Product(long number)
    {
        var (tenant, index) = Place(number, _size.Products);
        var random = Random(SeedKind.Product, number);
        var facts = Facts(tenant, index, random);
        var feature = random.Below(Vocabulary.Features.Count);
        var created = Back(random, HistoryDays + 1, 600);
        return new Product
        {
            Id = ProductId(tenant, index),
            TenantId = TenantId(tenant),
            Sku = facts.Sku,
            Name = facts.Name,
            Description = $"{facts.Name} for {random.Pick(facts.Shelf.Purposes)}. {Vocabulary.Features[feature]} "
                + $"{Vocabulary.Features[(feature + 1 + random.Below(Vocabulary.Features.Count - 1)) % Vocabulary.Features.Count]} "
                + $"{random.Pick(Vocabulary.Promises)}",
            CategoryId = CategoryId(tenant, (facts.Leaf / 3 * 4) + 1 + (facts.Leaf % 3)),
            Price = facts.Price,
            Currency = _profiles[tenant].Country.Currency,
            // There is a terracotta pot of the colour terracotta.
            Tags = [.. new[] { random.Pick(Vocabulary.Colours), facts.Material.ToLowerInvariant(), facts.Quality.ToLowerInvariant() }.Distinct()],
            Status = facts.Status,
            CreatedAt = created,
            UpdatedAt = Later(random, created, _until),
        };
    }

    /// <summary>The stock of one product, one document per store.</summary>
    public IEnumerable<InventoryItem> Inventory(long productNumber)
    {
        var (tenant, product) = Place(productNumber, _size.Products);
        var random = Random(SeedKind.Inventory, productNumber);

        // The store that has every product of this remainder, and two others.
        var first = product % _size.Stores;
        var second = 1 + random.Below(_size.Stores - 1);
        var third = 1 + random.Below(_size.Stores - 2);
        third += third >= second ? 1 : 0;
        int[] stores = [first, (first + second) % _size.Stores, (first + third) % _size.Stores];
        for (var i = 0; i < stores.Length; i++)
        {
            var onHand = random.Between(0, 200);
            yield return new InventoryItem
            {
                Id = SeedId.Create(SeedKind.Inventory, tenant, ((long)product * SeedSize.StoresPerProduct) + i),
                TenantId = TenantId(tenant),
                ProductId = ProductId(tenant, product),
                StoreId = StoreId(tenant, stores[i]),
                OnHand = onHand,
                Reserved = random.Between(0, onHand / 10),
                ReorderLevel = random.Between(5, 25),
                UpdatedAt = Back(random, 0, 30),
            };
        }
    }

    public Customer Customer(long number)
    {
        var (tenant, index) = Place(number, _size.Customers);
        var random = Random(SeedKind.Customer, number);
        var country = _profiles[tenant].Country;
        var words = Vocabulary.For(country.Locale);
        var (first, last) = (random.Pick(words.FirstNames), random.Pick(words.LastNames));
        var city = random.Pick(country.Cities);
        var created = Back(random, HistoryDays + 1, 600);
        return new Customer
        {
            Id = CustomerId(tenant, index),
            TenantId = TenantId(tenant),
            Email = string.Create(CultureInfo.InvariantCulture, $"{Letters(first)}.{Letters(last)}.{index + 1}@{random.Pick(s_mailDomains)}"),
            Name = $"{first} {last}",
            Phone = random.Chance(0.7) ? Digits(city.DialCode, random) : null,
            Address = random.Chance(0.9) ? AddressIn(country, city, random) : null,
            CreatedAt = created,
            UpdatedAt = created,
        };
    }

    public Order Order(long number)
    {
        var (tenant, index) = Place(number, _size.Orders);
        var random = Random(SeedKind.Order, number);
        var country = _profiles[tenant].Country;
        var store = random.Below(_size.Stores);
        var customer = random.Below(_size.Customers);
        var lines = new List<OrderLine>(5);
        var count = random.Weighted<int>([(1, 40), (2, 30), (3, 15), (4, 10), (5, 5)]);
        for (var i = 0; i < count; i++)
        {
            var product = SoldIn(tenant, store, random);
            var quantity = random.Weighted<int>([(1, 70), (2, 20), (3, 7), (6, 3)]);
            var id = ProductId(tenant, product);
            if (lines.Exists(line => line.ProductId == id))
            {
                continue;
            }

            var facts = Facts(tenant, product);
            lines.Add(new OrderLine
            {
                ProductId = id,
                Sku = facts.Sku,
                Name = facts.Name,
                Quantity = quantity,
                UnitPrice = facts.Price,
                Total = facts.Price * quantity,
            });
        }

        // In the order of their numbers over the whole time, so that a later number is a later order.
        var placed = _orderClock.At((index + random.Share()) / _size.Orders);
        var settled = placed.AddDays(5);
        var subtotal = lines.Sum(line => line.Total);
        var tax = CurrencyUnits.Round(subtotal * country.TaxRate, country.Currency);
        return new Order
        {
            Id = SeedId.Create(SeedKind.Order, tenant, index),
            TenantId = TenantId(tenant),
            Number = string.Create(CultureInfo.InvariantCulture, $"S{index + 1:0000000}"),
            CustomerId = CustomerId(tenant, customer),
            StoreId = StoreId(tenant, store),
            Lines = lines,
            ItemCount = lines.Sum(line => line.Quantity),
            Currency = country.Currency,
            Subtotal = subtotal,
            Tax = tax,
            Total = subtotal + tax,
            Status = StatusAfter(_until - placed, random),
            PlacedAt = placed,
            UpdatedAt = Later(random, placed, settled < _until ? settled : _until),
        };
    }

    private static (int Tenant, int Index) Place(long number, int perTenant) => ((int)(number / perTenant), (int)(number % perTenant));

    private static ObjectId StoreId(int tenant, int store) => SeedId.Create(SeedKind.Store, tenant, store);

    private static ObjectId CategoryId(int tenant, int category) => SeedId.Create(SeedKind.Category, tenant, category);

    private static ObjectId ProductId(int tenant, int product) => SeedId.Create(SeedKind.Product, tenant, product);

    private static ObjectId CustomerId(int tenant, int customer) => SeedId.Create(SeedKind.Customer, tenant, customer);

    private long ProductNumber(int tenant, int product) => ((long)tenant * _size.Products) + product;

    private SeedRandom Random(SeedKind kind, long number) => new(_size.Seed, kind, number);

    private (Department Department, string Line) DepartmentOf(int tenant, int group)
    {
        var departments = _profiles[tenant].Departments;
        var round = group / departments.Count;
        var lines = Vocabulary.Lines;
        var line = round == 0 ? ""
            : round <= lines.Count ? " " + lines[round - 1]
            : string.Create(CultureInfo.InvariantCulture, $" {lines[(round - 1) % lines.Count]} {((round - 1) / lines.Count) + 1}");
        return (departments[group % departments.Count], line);
    }

    private ProductFacts Facts(int tenant, int product) => Facts(tenant, product, Random(SeedKind.Product, ProductNumber(tenant, product)));

    // A product's first draws: what an order line copies. Product() goes on drawing after them.
    private ProductFacts Facts(int tenant, int product, SeedRandom random)
    {
        // Three of four categories are leaves, and only these hold products.
        var leaf = random.Below(_size.Categories / 4 * 3);
        var shelf = DepartmentOf(tenant, leaf / 3).Department[leaf % 3];
        var (quality, material, thing) = (random.Pick(Vocabulary.Qualities), random.Pick(shelf.Materials), random.Pick(shelf.Things));

        // Cheap things are many, dear ones few.
        var share = random.Share();
        var whole = shelf.Cheapest + (int)((shelf.Dearest - shelf.Cheapest) * share * share * share);
        var price = whole + random.Weighted<decimal>([(0.99m, 60), (0.49m, 20), (0.00m, 20)]);
        var status = random.Weighted<ProductStatus>([(ProductStatus.Active, 92), (ProductStatus.Draft, 4), (ProductStatus.Archived, 4)]);
        return new ProductFacts(
            string.Create(CultureInfo.InvariantCulture, $"{_profiles[tenant].Prefix}-{product + 1:000000}"),
            $"{quality} {material} {thing}", price, status, leaf, shelf, quality, material);
    }

    // A product that the store has and that is or was on sale: the draw says where to start looking.
    private int SoldIn(int tenant, int store, SeedRandom random)
    {
        var perStore = _size.Products / _size.Stores;
        var draw = random.Below(perStore);
        for (var i = 0; i < perStore; i++)
        {
            var product = store + ((draw + i) % perStore * _size.Stores);
            if (Facts(tenant, product).Status != ProductStatus.Draft)
            {
                return product;
            }
        }

        // A hundred drafts in one store.
        return store;
    }

    private static OrderStatus StatusAfter(TimeSpan age, SeedRandom random) => age.TotalDays switch
    {
        < 1 => OrderStatus.Pending,
        < 3 => random.Weighted<OrderStatus>([(OrderStatus.Pending, 20), (OrderStatus.Paid, 75), (OrderStatus.Cancelled, 5)]),
        < 7 => random.Weighted<OrderStatus>([(OrderStatus.Paid, 25), (OrderStatus.Shipped, 70), (OrderStatus.Cancelled, 5)]),
        _ => random.Weighted<OrderStatus>([(OrderStatus.Delivered, 90), (OrderStatus.Cancelled, 6), (OrderStatus.Refunded, 4)]),
    };

    private static Address AddressIn(Country country, City city, SeedRandom random)
    {
        var street = random.Pick(Vocabulary.For(country.Locale).Streets);
        var number = random.Between(1, 199);
        return new Address
        {
            Street = country.NumberFirst
                ? string.Create(CultureInfo.InvariantCulture, $"{number} {street}")
                : string.Create(CultureInfo.InvariantCulture, $"{street} {number}"),
            City = city.Name,
            PostalCode = Digits(city.PostalCode, random),
            Country = country.Code,
        };
    }

    // Letters that Royal Mail uses in the second half of a postcode; leading zeros are right everywhere but after a GB area.
    private static string Digits(string pattern, SeedRandom random) => string.Create(pattern.Length, (pattern, random), static (text, state) =>
    {
        const string letters = "ABDEFGHJLNPQRSTUWXYZ";
        for (var i = 0; i < text.Length; i++)
        {
            text[i] = state.pattern[i] switch
            {
                '#' when i > 0 && char.IsAsciiLetter(state.pattern[i - 1]) => (char)('1' + state.random.Below(9)),
                '#' => (char)('0' + state.random.Below(10)),
                '@' => letters[state.random.Below(letters.Length)],
                var other => other,
            };
        }
    });

    private DateTime Back(SeedRandom random, int leastDays, int mostDays) =>
        Truncated(_until - (TimeSpan.FromDays(leastDays) + (TimeSpan.FromDays(mostDays - leastDays) * random.Share())));

    private static DateTime Later(SeedRandom random, DateTime from, DateTime until) => Truncated(from + ((until - from) * random.Share()));

    // BSON keeps milliseconds; whole seconds read better.
    private static DateTime Truncated(DateTime time) => new(time.Ticks - (time.Ticks % TimeSpan.TicksPerSecond), DateTimeKind.Utc);

    private static string Letters(string name)
    {
        var letters = new System.Text.StringBuilder(name.Length + 2);
        foreach (var letter in name.ToLowerInvariant())
        {
            letters.Append(letter switch
            {
                'ä' => "ae",
                'ö' => "oe",
                'ü' => "ue",
                'ß' => "ss",
                _ when char.IsAsciiLetterLower(letter) => letter.ToString(),
                _ => "",
            });
        }

        return letters.ToString();
    }

    private sealed record ProductFacts(
        string Sku, string Name, decimal Price, ProductStatus Status, int Leaf, Shelf Shelf, string Quality, string Material);
}
