namespace Platform.Data.Access;

/// <summary>Actions that a principal needs beside built-in roles, and what for.</summary>
/// <param name="Reason">Why it needs them, in a sentence.</param>
/// <param name="Actions">MongoDB's names of the actions.</param>
/// <param name="On">What they are for.</param>
/// <param name="Collections">The collections, where they are for such; else none.</param>
/// <remarks><see href="https://www.mongodb.com/docs/manual/reference/privilege-actions/"/></remarks>
public sealed record Grant(string Reason, IReadOnlyList<string> Actions, GrantTarget On, params IReadOnlyList<string> Collections);
