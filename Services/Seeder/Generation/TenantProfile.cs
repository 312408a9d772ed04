namespace Platform.Seeder.Generation;

/// <summary>What makes a seeded tenant itself.</summary>
internal sealed record TenantProfile(string Slug, string Name, string Currency, decimal TaxRate, IReadOnlyList<City> Cities)
{
    private static readonly TenantProfile[] Known =
    [
        new("aurora-outdoor", "Aurora Outdoor", "EUR", 0.19m,
        [
            new("Berlin", "DE", 13.4050, 52.5200),
            new("Hamburg", "DE", 9.9937, 53.5511),
            new("Munich", "DE", 11.5820, 48.1351),
            new("Vienna", "AT", 16.3738, 48.2082),
        ]),
        new("brightbyte", "BrightByte Electronics", "USD", 0.0825m,
        [
            new("Austin", "US", -97.7431, 30.2672),
            new("Denver", "US", -104.9903, 39.7392),
            new("Chicago", "US", -87.6298, 41.8781),
            new("Atlanta", "US", -84.3880, 33.7490),
        ]),
        new("casa-verde", "Casa Verde Home", "GBP", 0.20m,
        [
            new("London", "GB", -0.1276, 51.5072),
            new("Manchester", "GB", -2.2426, 53.4808),
            new("Leeds", "GB", -1.5491, 53.8008),
            new("Birmingham", "GB", -1.8904, 52.4862),
        ]),
    ];

    public static TenantProfile For(int tenant)
    {
        if (tenant < Known.Length)
        {
            return Known[tenant];
        }

        var model = Known[tenant % Known.Length];
        var number = tenant + 1;
        return model with { Slug = FormattableString.Invariant($"{model.Slug}-{number}"), Name = FormattableString.Invariant($"{model.Name} {number}") };
    }
}
