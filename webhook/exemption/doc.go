// Package exemption says which policies a namespace leaves and which waivers it enters
// when its labels change: a user needs the verb exempt on each of them.
//
// It says so twice. The match conditions let the API server compare the labels and check
// the rights of the user whose request it has authenticated, and send only what that user
// may not do. Steps compares the labels again for the webhook, which refuses without
// asking about anybody's rights: a review that somebody forges can name any user.
package exemption
