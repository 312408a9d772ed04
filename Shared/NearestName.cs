namespace Platform;

/// <summary>Finds the name that somebody meant who mistyped it.</summary>
public static class NearestName
{
    /// <summary>The known name that a mistyped one is nearest to; null when it is like none.</summary>
    /// <param name="name">The mistyped name.</param>
    /// <param name="known">The names that there are.</param>
    public static string? Of(string name, IEnumerable<string> known)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(known);
        // One mistake in three letters; more of them make another word.
        return known
            .Select(candidate => (Candidate: candidate, Mistakes: Mistakes(name, candidate)))
            .Where(pair => pair.Mistakes <= Math.Clamp(Math.Min(name.Length, pair.Candidate.Length) / 3, 1, 3))
            .OrderBy(pair => pair.Mistakes)
            .ThenBy(pair => pair.Candidate, StringComparer.Ordinal)
            .Select(pair => pair.Candidate)
            .FirstOrDefault();
    }

    // Letters left out, put in, changed for others, and changed for their neighbours, whatever their case:
    // https://en.wikipedia.org/wiki/Damerau-Levenshtein_distance#Optimal_string_alignment_distance
    private static int Mistakes(string one, string other)
    {
        var costs = new int[one.Length + 1, other.Length + 1];
        for (var i = 0; i <= one.Length; i++)
        {
            for (var j = 0; j <= other.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    costs[i, j] = i + j;
                    continue;
                }

                var changed = Same(one[i - 1], other[j - 1]) ? 0 : 1;
                costs[i, j] = Math.Min(
                    Math.Min(costs[i - 1, j], costs[i, j - 1]) + 1, costs[i - 1, j - 1] + changed);
                if (i > 1 && j > 1 && Same(one[i - 1], other[j - 2]) && Same(one[i - 2], other[j - 1]))
                {
                    costs[i, j] = Math.Min(costs[i, j], costs[i - 2, j - 2] + 1);
                }
            }
        }

        return costs[one.Length, other.Length];

        static bool Same(char left, char right) => char.ToUpperInvariant(left) == char.ToUpperInvariant(right);
    }
}
