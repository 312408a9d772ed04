namespace Platform.SecurityTool.Secrets;

/// <summary>Whose password a secret is that can be replaced while the stack runs.</summary>
/// <param name="IsRedis">Whether it is a user of Redis, and not of MongoDB.</param>
/// <param name="User">The user; of MongoDB, the program that has one.</param>
internal sealed record RotatedLogin(bool IsRedis, string User);
