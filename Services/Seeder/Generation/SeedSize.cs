namespace Platform.Seeder.Generation;

/// <summary>How much is seeded, and from which seed. Equal values give equal data, byte for byte.</summary>
public sealed record SeedSize
{
    /// <summary>Raised when the generated data changes, so that databases seeded by older programs are seeded anew.</summary>
    public const int DataVersion = 1;

    /// <summary>The start of all random numbers. Default: 2026.</summary>
    public int Seed { get; init; } = 2026;

    /// <summary>How many tenants. Default: 3.</summary>
    public int Tenants { get; init; } = 3;

    /// <summary>Multiplies what each tenant has. Default: 1.</summary>
    public int Scale { get; init; } = 1;

    /// <summary>Shops per tenant.</summary>
    public int Stores => 4 * Scale;

    /// <summary>Categories per tenant.</summary>
    public int Categories => 8 * Scale;

    /// <summary>Products per tenant.</summary>
    public int Products => 400 * Scale;

    /// <summary>Customers per tenant.</summary>
    public int Customers => 200 * Scale;

    /// <summary>Orders per tenant.</summary>
    public int Orders => 800 * Scale;
}
