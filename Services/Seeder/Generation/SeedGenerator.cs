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

    // Of a tenant's products, one in so many is sold out; of its tenants the fourth does not pay; of its stores the fourth has closed.
    private const int SoldOut = 25;
    public const int SuspendedTenant = 3;
    private const int ClosedStore = 3;

    private static readonly string[] s_mailDomains = ["mail.example", "post.example", "inbox.example"];

    private readonly SeedSize _size;
    private readonly DateTime _until;
    private readonly OrderClock _orderClock;
    private readonly string[] _passwords;
    private readonly TenantProfile[] _profiles;

    // A store's history is asked for by each of its products in turn; few are looked at at a time.
    private readonly StoreHistory?[] _histories = new StoreHistory?[64];

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
            Status = tenant == SuspendedTenant ? TenantStatus.Suspended : TenantStatus.Active,
            CreatedAt = created,
            UpdatedAt = tenant == SuspendedTenant ? _until.AddDays(-7) : created,
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
        var address = AddressIn(profile.Country, city, random);
        var location = new GeoJsonPoint<GeoJson2DGeographicCoordinates>(new GeoJson2DGeographicCoordinates(
            Math.Round(city.Longitude + (((2 * random.Share()) - 1) * spread), 6),
            Math.Round(city.Latitude + (((2 * random.Share()) - 1) * spread), 6)));
        var closed = index == ClosedStore || (branch > 1 && random.Chance(0.05));
        return new Store
        {
            Id = StoreId(tenant, index),
            TenantId = TenantId(tenant),
            Code = string.Create(CultureInfo.InvariantCulture, $"{city.Code}-{branch:00}"),
            Name = branch == 1 ? $"{profile.Name} {city.Name}" : string.Create(CultureInfo.InvariantCulture, $"{profile.Name} {city.Name} {branch}"),
            Address = address,
            Location = location,
            Status = closed ? StoreStatus.Closed : StoreStatus.Open,
            CreatedAt = created,
            // It went on until the end of the history.
            UpdatedAt = closed ? _until : created,
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

    /// <summary>The stock of one product, one document per store: the one that sells it, and two others.</summary>
    public IEnumerable<InventoryItem> Inventory(long productNumber)
    {
        var (tenant, product) = Place(productNumber, _size.Products);
        var random = Random(SeedKind.Inventory, productNumber);
        var first = product / SeedSize.ProductsPerStore;
        var second = 1 + random.Below(_size.Stores - 1);
        var third = 1 + random.Below(_size.Stores - 2);
        third += third >= second ? 1 : 0;
        int[] stores = [first, (first + second) % _size.Stores, (first + third) % _size.Stores];
        for (var i = 0; i < stores.Length; i++)
        {
            var free = random.Between(0, 200);
            var item = new InventoryItem
            {
                Id = SeedId.Create(SeedKind.Inventory, tenant, ((long)product * SeedSize.StoresPerProduct) + i),
                TenantId = TenantId(tenant),
                ProductId = ProductId(tenant, product),
                StoreId = StoreId(tenant, stores[i]),
                OnHand = product % SoldOut == SoldOut / 2 ? 0 : free,
                Reserved = 0,
                ReorderLevel = random.Between(5, 25),
                UpdatedAt = Back(random, 0, 30),
            };
            yield return i == 0 ? Sold(item, History(tenant, first)) : item;
        }
    }

    /// <summary>How the stock of what a store sells came to be what it is, product by product.</summary>
    /// <param name="number">The store's number among those of all tenants.</param>
    public IEnumerable<InventoryEvent> InventoryEvents(long number)
    {
        var (tenant, store) = Place(number, _size.Stores);
        var history = History(tenant, store);
        var key = (long)store * SeedSize.InventoryEventsPerStore;
        for (var product = store * SeedSize.ProductsPerStore; product < (store + 1) * SeedSize.ProductsPerStore; product++)
        {
            var item = Inventory(ProductNumber(tenant, product)).First();
            var moves = history.Moves(item.ProductId);
            var onHand = item.OnHand - moves.Sum(move => move.Change);
            // What was there when the history began came with one delivery on the day before, or was counted and found to be nothing.
            var opened = _until.AddDays(-HistoryDays).AddSeconds(-1 - (product % 36_000));
            var sequence = 1L;
            yield return Event(new StockMove(opened, onHand == 0 ? InventoryEventKind.Counted : InventoryEventKind.Received, onHand));
            foreach (var move in moves)
            {
                onHand += move.Change;
                sequence++;
                yield return Event(move);
            }

            InventoryEvent Event(StockMove move) => new()
            {
                Id = SeedId.Create(SeedKind.InventoryEvent, tenant, key++),
                TenantId = item.TenantId,
                At = move.At,
                StoreId = item.StoreId,
                ProductId = item.ProductId,
                Kind = move.Kind,
                Sequence = sequence,
                Change = move.Change,
                OnHand = onHand,
            };
        }
    }

    /// <summary>What the orders of a store sold, line by line.</summary>
    /// <param name="number">The store's number among those of all tenants.</param>
    public IEnumerable<SaleEvent> SaleEvents(long number)
    {
        var (tenant, store) = Place(number, _size.Stores);
        var key = (long)store * OrderPattern.LinesPerStore;
        foreach (var order in OrdersOf(tenant, store))
        {
            foreach (var line in order.Lines)
            {
                yield return SaleEvent.Of(SeedId.Create(SeedKind.SaleEvent, tenant, key++), order, line);
            }
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

    /// <summary>
    /// An order. Those of a store have keys in a row, so that what they did to its stock can be made again without a look at all others; each takes
    /// a turn with those of the other stores, and numbers follow the time.
    /// </summary>
    public Order Order(long number)
    {
        var (tenant, index) = Place(number, _size.Orders);
        var (store, place) = (index / OrderPattern.PerStore, index % OrderPattern.PerStore);
        var random = Random(SeedKind.Order, number);
        var country = _profiles[tenant].Country;
        var customer = random.Below(_size.Customers);
        var lines = Lines(tenant, store, OrderPattern.Lines(place), random);

        // In the order of their numbers over the whole time, so that a later number is a later order.
        var turn = (store + Random(SeedKind.OrderTurn, ((long)tenant * OrderPattern.PerStore) + place).Below(_size.Stores)) % _size.Stores;
        var rank = (place * _size.Stores) + turn;
        var placed = _orderClock.At((rank + random.Share()) / _size.Orders);
        var settled = placed.AddDays(5);
        var subtotal = lines.Sum(line => line.Total);
        var tax = CurrencyUnits.Round(subtotal * country.TaxRate, country.Currency);
        return new Order
        {
            Id = SeedId.Create(SeedKind.Order, tenant, index),
            TenantId = TenantId(tenant),
            Number = string.Create(CultureInfo.InvariantCulture, $"S{rank + 1:0000000}"),
            CustomerId = CustomerId(tenant, customer),
            StoreId = StoreId(tenant, store),
            Lines = lines,
            ItemCount = lines.Sum(line => line.Quantity),
            Currency = country.Currency,
            Subtotal = subtotal,
            Tax = tax,
            Total = subtotal + tax,
            Status = OrderPattern.Status(place),
            PlacedAt = placed,
            UpdatedAt = Later(random, placed, settled < _until ? settled : _until),
        };
    }

    private List<OrderLine> Lines(int tenant, int store, int count, SeedRandom random)
    {
        var lines = new List<OrderLine>(count);
        while (lines.Count < count)
        {
            var product = SoldIn(tenant, store, random, lines);
            var quantity = random.Weighted<int>([(1, 70), (2, 20), (3, 7), (6, 3)]);
            var facts = Facts(tenant, product);
            lines.Add(new OrderLine
            {
                ProductId = ProductId(tenant, product),
                Sku = facts.Sku,
                Name = facts.Name,
                Quantity = quantity,
                UnitPrice = facts.Price,
                Total = facts.Price * quantity,
            });
        }

        return lines;
    }

    // The stock of a product in the store that sells it.
    private static InventoryItem Sold(InventoryItem item, StoreHistory history)
    {
        var moves = history.Moves(item.ProductId);
        var (change, least) = (0, 0);
        foreach (var move in moves)
        {
            change += move.Change;
            least = Math.Min(least, change);
        }

        // What was there at first has to last for all that was sold before some of it came back.
        var reserved = history.Reserved(item.ProductId);
        var opening = Math.Max(-least, reserved + item.OnHand - change);
        return item with
        {
            OnHand = opening + change, Reserved = reserved, Sequence = moves.Count + 1, UpdatedAt = history.Changed(item.ProductId) ?? item.UpdatedAt,
        };
    }

    private StoreHistory History(int tenant, int store)
    {
        var number = ((long)tenant * _size.Stores) + store;
        ref var kept = ref _histories[number % _histories.Length];
        if (Volatile.Read(ref kept) is { } known && known.Store == number)
        {
            return known;
        }

        var made = StoreHistory.Of(number, OrdersOf(tenant, store));
        Volatile.Write(ref kept, made);
        return made;
    }

    private IEnumerable<Order> OrdersOf(int tenant, int store)
    {
        var first = ((long)tenant * _size.Orders) + ((long)store * OrderPattern.PerStore);
        for (var number = first; number < first + OrderPattern.PerStore; number++)
        {
            yield return Order(number);
        }
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

    // A product that the store sells, that is or was on sale, and is in no line yet: the draw says where to start looking.
    private int SoldIn(int tenant, int store, SeedRandom random, List<OrderLine> lines)
    {
        var draw = random.Below(SeedSize.ProductsPerStore);
        int? free = null;
        for (var i = 0; i < SeedSize.ProductsPerStore; i++)
        {
            var product = (store * SeedSize.ProductsPerStore) + ((draw + i) % SeedSize.ProductsPerStore);
            if (lines.Exists(line => line.ProductId == ProductId(tenant, product)))
            {
                continue;
            }

            free ??= product;
            if (Facts(tenant, product).Status != ProductStatus.Draft)
            {
                return product;
            }
        }

        // A hundred drafts in one store.
        return free ?? throw new InvalidOperationException("An order has more lines than its store has products.");
    }

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
