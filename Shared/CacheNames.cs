namespace Platform;

/// <summary>How whoever changes the cache tells the services that use it.</summary>
public static class CacheNames
{
    /// <summary>
    /// The channel of Redis on which it is told: a line that says who tells, then a line for each name that changed
    /// (<c>platform:v1:...</c>).
    /// </summary>
    public const string Channel = "platform:changes";

    /// <summary>The name of everything.</summary>
    public const string Everything = "platform:v1:~";

    /// <summary>What is told on the channel.</summary>
    /// <param name="sender">Who tells; whoever that is does not listen to it.</param>
    /// <param name="names">What changed.</param>
    public static string Message(string sender, IEnumerable<string> names) => $"{sender}\n{string.Join('\n', names)}";
}
