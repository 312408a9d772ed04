using System.Globalization;
using Platform.Data.Documents;

namespace Platform.Seeder.Generation;

/// <summary>
/// The passwords of seeded users, one per role. They follow from the seed, as all data does: whoever has this program can work them
/// out, which is why the seeder writes into development databases only.
/// </summary>
internal static class DevelopmentPasswords
{
    /// <summary>
    /// Iterations for seeded users. The password is no secret, so iterations protect nothing; real accounts get
    /// <see cref="Data.Security.PasswordHash.DefaultIterations"/>, at a tenth of a second each.
    /// </summary>
    public const int Iterations = 10_000;

    public static string For(int seed, UserRole role)
    {
        var random = new SeedRandom(seed, SeedKind.Password, (int)role);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{random.Pick(Vocabulary.PasswordFirst)}-{random.Pick(Vocabulary.PasswordSecond)}-{random.Below(10_000):0000}");
    }
}
