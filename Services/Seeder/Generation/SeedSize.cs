namespace Platform.Seeder.Generation;

/// <summary>How much is seeded, and from which seed. Equal values give equal data, byte for byte.</summary>
public sealed record SeedSize
{
    /// <summary>Raised when the generated data changes, so that databases seeded by older programs are seeded anew.</summary>
    public const int DataVersion = 4;

    /// <summary>The greatest product of <see cref="Tenants"/> and <see cref="Scale"/>: keys are numbered in 32 bits, and nobody waits for more.</summary>
    public const int MostTenantsTimesScale = 1_000_000;

    /// <summary>The most tenants.</summary>
    public const int MostTenants = 10_000;

    /// <summary>How days are written.</summary>
    public const string DateFormat = "yyyy-MM-dd";

    /// <summary>The day before which everything happened, for whoever wants the same data on every day: the default here, not of the command.</summary>
    public static DateOnly PinnedUntil { get; } = new(2026, 1, 1);

    /// <summary>The first day that the history can end with.</summary>
    public static DateOnly EarliestUntil { get; } = new(1970, 1, 1);

    /// <summary>The last day that the history can end with: what is reckoned from it has to be in the calendar, too.</summary>
    public static DateOnly LatestUntil { get; } = new(9999, 1, 1);

    /// <summary>The start of all random numbers. Default: 2026.</summary>
    public int Seed { get; init; } = 2026;

    /// <summary>How many tenants. Default: 4, the last of which is suspended.</summary>
    public int Tenants { get; init; } = 4;

    /// <summary>Multiplies what each tenant has. Default: 1.</summary>
    public int Scale { get; init; } = 1;

    /// <summary>The day (UTC) at whose beginning the history of 90 days ends. Default: <see cref="PinnedUntil"/>.</summary>
    public DateOnly Until { get; init; } = PinnedUntil;

    /// <summary>Users per tenant.</summary>
    public static int Users => 12;

    /// <summary>Stores that hold a product.</summary>
    public static int StoresPerProduct => 3;

    /// <summary>Products that a store sells; others have some of them in stock, too.</summary>
    public static int ProductsPerStore => 100;

    /// <summary>Changes of the stock of what a store sells: the delivery of each product, and what its orders took and brought back.</summary>
    public static int InventoryEventsPerStore { get; } = ProductsPerStore + OrderPattern.MovesPerStore;

    /// <summary>Shops per tenant.</summary>
    public int Stores => 4 * Scale;

    /// <summary>Categories per tenant.</summary>
    public int Categories => 8 * Scale;

    /// <summary>Products per tenant.</summary>
    public int Products => ProductsPerStore * Stores;

    /// <summary>Customers per tenant.</summary>
    public int Customers => 200 * Scale;

    /// <summary>Orders per tenant.</summary>
    public int Orders => OrderPattern.PerStore * Stores;
}
