using System.Globalization;
using System.Text.Json;

namespace Platform.Hosting.Mongo;

/// <summary>Where the members of a DocumentDB replica set keep their data, and what they know of each other's.</summary>
internal static class MemberData
{
    /// <summary>How many members a set has at most.</summary>
    public const int MostMembers = 3;

    /// <summary>The data directory of a member. That of the first is also that of a set of one.</summary>
    public static string DirectoryOf(string data, int member)
        => member == 1 ? data : string.Create(CultureInfo.InvariantCulture, $"{data}-{member}");

    /// <summary>
    /// A member beyond those that are to run which followed a later primary than each of them, and so has writes that
    /// they lack; null when there is none.
    /// </summary>
    public static int? AheadOf(string data, int members)
    {
        var latest = Enumerable.Range(1, members).Max(member => Followed(DirectoryOf(data, member)));
        return Enumerable.Range(members + 1, Math.Max(0, MostMembers - members))
            .Where(member => Followed(DirectoryOf(data, member)) > latest)
            .Select(member => (int?)member)
            .FirstOrDefault();
    }

    // The gateway's own record of elections. A member without one has followed nobody.
    private static long Followed(string directory)
    {
        var file = Path.Combine(directory, "election.json");
        if (!File.Exists(file))
        {
            return 0;
        }

        using var record = JsonDocument.Parse(File.ReadAllBytes(file));
        return record.RootElement.GetProperty("Followed").GetInt64();
    }
}
