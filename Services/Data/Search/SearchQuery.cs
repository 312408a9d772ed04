namespace Platform.Data.Search;

/// <summary>What somebody searches for: words that have to be there, the last of which may be the beginning of one, and words that must not.</summary>
/// <param name="Words">The words that have to be there, each once, without the last.</param>
/// <param name="Beginning">The last word, or what is typed of it so far.</param>
/// <param name="Without">The words that must not be there, each once.</param>
public sealed record SearchQuery(IReadOnlyList<string> Words, string Beginning, IReadOnlyList<string> Without)
{
    /// <summary>The most words.</summary>
    public const int MaxWords = 20;

    /// <summary>
    /// Reads what somebody typed. Words count as documents' words do, and everything else parts them, so that <c>"a phrase"</c> is its words;
    /// a hyphen in front of a word, after a space or at the beginning, leaves out what has the word.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <returns>The query; null when no word has to be there.</returns>
    public static SearchQuery? Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        List<string> words = [], without = [];
        foreach (var term in text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
        {
            (term[0] == '-' ? without : words).AddRange(SearchText.Words(term));
        }

        return words.Count == 0 ? null : new SearchQuery(
            [.. words[..^1].Distinct(StringComparer.Ordinal).Where(word => word != words[^1])], words[^1], [.. without.Distinct(StringComparer.Ordinal)]);
    }

    /// <summary>How many words it has.</summary>
    public int Count => Words.Count + 1 + Without.Count;
}
