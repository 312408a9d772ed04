namespace Platform.Seeder.Generation;

/// <summary>What makes a seeded tenant itself.</summary>
/// <param name="Slug">The name in URLs, and the domain of its users' addresses.</param>
/// <param name="Name">The name shown to people.</param>
/// <param name="Prefix">What its SKUs begin with.</param>
/// <param name="Country">Where its stores and customers are.</param>
/// <param name="Departments">What it sells.</param>
internal sealed record TenantProfile(string Slug, string Name, string Prefix, Country Country, IReadOnlyList<Department> Departments)
{
    private static readonly TenantProfile[] s_known =
    [
        new("aurora-outdoor", "Aurora Outdoor", "AUR", Country.Germany, Department.Outdoor),
        new("brightbyte", "BrightByte Electronics", "BRI", Country.UnitedStates, Department.Electronics),
        new("casa-verde", "Casa Verde Home", "CAS", Country.UnitedKingdom, Department.Home),
        new("dahlia-living", "Dahlia Living", "DAH", Country.Germany, Department.Home),
    ];

    public static TenantProfile For(int tenant)
    {
        if (tenant < s_known.Length)
        {
            return s_known[tenant];
        }

        var model = s_known[tenant % s_known.Length];
        var number = (tenant / s_known.Length) + 1;
        return model with { Slug = FormattableString.Invariant($"{model.Slug}-{number}"), Name = FormattableString.Invariant($"{model.Name} {number}") };
    }

    /// <summary>The number of the seeded tenant with this slug; -1 when there is none among the first <paramref name="tenants"/>.</summary>
    public static int Find(string slug, int tenants)
    {
        for (var tenant = 0; tenant < tenants; tenant++)
        {
            if (For(tenant).Slug == slug)
            {
                return tenant;
            }
        }

        return -1;
    }
}
