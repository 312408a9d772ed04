namespace Platform.Seeder.Commands;

/// <summary>How the seeding of a database stands.</summary>
internal enum SeedState
{
    /// <summary>Nothing was seeded.</summary>
    NotSeeded,

    /// <summary>Everything that was asked for is there.</summary>
    Seeded,

    /// <summary>A run was interrupted or is under way, or documents are gone since.</summary>
    Incomplete,
}
